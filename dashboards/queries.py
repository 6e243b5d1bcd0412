"""The PromQL of the boards: one function or constant per query.

*The launch* and *The announcement* read event-time series (``at_night``) of the run ``$run``; the other boards and the
rules read what is scraped (``select``). Values of the night are gauges as of event time in both, so they are read
directly. ``rate()`` is only for counters of work, which happens in wall clock time. ``$engine`` and ``$space`` are
variables, too; ``$space`` may hold several rooms.
"""

from streams.contract.names import ANNOUNCEMENT, TRUTH, PhaseName
from streams.metrics import definitions as m
from streams.metrics import receiver
from streams.metrics.metric import Metric, at_event_time

OF_ENGINE = 'engine="$engine"'
OF_ENGINES = 'engine=~"$engine"'
OF_TRUTH = f'engine="{TRUTH}"'
OF_RUN = 'run="$run"'
OF_SPACE = 'space=~"$space"'
IN_SCHEDULED = f'phase="{PhaseName.SCHEDULED_START}"'
"""The phase that begins at the announced start of the launch."""
EVERY_SPACE = 'space="*"'
RATE = "$__rate_interval"


def select(metric: Metric, *matchers: str) -> str:
    """Return a selector; ``matchers`` go between the braces."""
    return f"{metric.name}{{{','.join(matchers)}}}" if matchers else metric.name


def at_night(metric: Metric, *matchers: str) -> str:
    """Return a selector of the event-time series of the boards' run."""
    return select(at_event_time(metric), OF_RUN, *matchers)


def total(expression: str, *by: str) -> str:
    """Return the sum over all series, or by labels."""
    return f"sum by ({', '.join(by)}) ({expression})" if by else f"sum({expression})"


def per_second(metric: Metric, *matchers: str) -> str:
    """Return the rate of a counter of work, per second of wall clock time."""
    return f"rate({select(metric, *matchers)}[{RATE}])"


def kind(*names: str) -> str:
    """Return the matcher for one or several kinds of event."""
    return f'kind="{names[0]}"' if len(names) == 1 else f'kind=~"{"|".join(names)}"'


def millis(seconds: str) -> str:
    """Return a timestamp in the unit of Grafana's date formats."""
    return f"{seconds} * 1000"


# --- the launch -------------------------------------------------------------------------------------------------------
AUDIENCE = at_night(m.AUDIENCE, OF_ENGINE, OF_SPACE)
AUDIENCE_TRUTH = at_night(m.AUDIENCE, OF_TRUTH, OF_SPACE)
AUDIENCE_NOW = total(AUDIENCE)
AUDIENCE_PEAK = at_night(m.AUDIENCE_PEAK, OF_ENGINE, OF_SPACE)
AUDIENCE_PEAK_TIME = millis(at_night(m.AUDIENCE_PEAK_TIME, OF_ENGINE, OF_SPACE))
MOST_INSIDE = f"max({at_night(m.AUDIENCE_PEAK, OF_ENGINE)})"
WAITING = at_night(m.WAITING, OF_ENGINE)
MOST_WAITING = at_night(m.WAITING_PEAK, OF_ENGINE)
WAITING_TRUTH = at_night(m.WAITING, OF_TRUTH)
WAITED = at_night(m.WAITED, OF_ENGINE)
DROP_RATIO = at_night(m.DROP_RATIO, OF_ENGINE, OF_SPACE)
WORST_DROP_RATIO = f"max({DROP_RATIO})"
JOIN_SUCCESS = at_night(m.JOIN_SUCCESS, OF_ENGINE, OF_SPACE)
WORST_JOIN_SUCCESS = f"min({JOIN_SUCCESS})"
_CROWD = f"({total(at_night(m.AUDIENCE, OF_ENGINE))} + on () {WAITING})"
INSIDE_SHARE = f"{total(at_night(m.AUDIENCE, OF_ENGINE))} / ({_CROWD} != 0)"
WAITING_SHARE = f"{WAITING} / on () ({_CROWD} != 0)"
"""Without a crowd there is no share, and so the last one of the night stays."""
TIME_TO_JOIN = at_night(m.TIME_TO_JOIN, OF_ENGINE)
TIME_TO_REJOIN = at_night(m.TIME_TO_REJOIN, OF_ENGINE)
EXIT_RATIO = at_night(m.EXIT_RATIO, OF_ENGINE)
EXIT_RATIO_TRUTH = at_night(m.EXIT_RATIO, OF_TRUTH)
EXITS = at_night(m.EXITS, OF_ENGINE)
SLOWEST_JOINS = f"histogram_quantile(0.95, {at_night(m.TIME_TO_JOIN_BUCKET, OF_ENGINE)})"
SLOWEST_REJOINS = f"histogram_quantile(0.95, {at_night(m.TIME_TO_REJOIN_BUCKET, OF_ENGINE)})"
LISTENERS_EVER = at_night(m.DISTINCT_LISTENERS, OF_ENGINE, EVERY_SPACE)
LISTENERS_BY_ROOM = at_night(m.DISTINCT_LISTENERS, OF_ENGINE, OF_SPACE)
CAPACITY = at_night(m.CAPACITY)
CLIENT_AUDIENCE = at_night(m.CLIENT_AUDIENCE, OF_ENGINE)
CLIENT_AUDIENCE_TRUTH = at_night(m.CLIENT_AUDIENCE, OF_TRUTH)
CLIENT_JOIN_SUCCESS = at_night(m.CLIENT_JOIN_SUCCESS, OF_ENGINE)
CLIENT_JOIN_SUCCESS_TRUTH = at_night(m.CLIENT_JOIN_SUCCESS, OF_TRUTH)
CLIENT_DROP_RATIO = at_night(m.CLIENT_DROP_RATIO, OF_ENGINE)
CLIENT_DROP_RATIO_TRUTH = at_night(m.CLIENT_DROP_RATIO, OF_TRUTH)
FAILS_BY_REASON = at_night(m.REASON_MINUTE, OF_ENGINE, kind("fail"))
FAILS_BY_REASON_TRUTH = at_night(m.REASON_MINUTE, OF_TRUTH, kind("fail"))
DROPS_BY_REASON = at_night(m.REASON_MINUTE, OF_ENGINE, kind("drop"))
DROPS_BY_REASON_TRUTH = at_night(m.REASON_MINUTE, OF_TRUTH, kind("drop"))
JOINS_COUNTED = total(at_night(m.PRESENCE, OF_ENGINE, OF_SPACE, kind("join")))


def presence_minute(*kinds: str) -> str:
    """Return events of these kinds in the last minute of event time, over the selected rooms."""
    return total(at_night(m.PRESENCE_MINUTE, OF_ENGINE, OF_SPACE, kind(*kinds)), "kind")


def tweets_minute(subject: str) -> str:
    """Return tweets on a subject in the last minute of event time, over all kinds."""
    return total(at_night(m.TWEETS_MINUTE, OF_ENGINE, f'subject="{subject}"'))


TWEETS_MINUTE_BY_SUBJECT = total(at_night(m.TWEETS_MINUTE, OF_ENGINE), "subject")


def tweets_minute_by_kind(subject: str) -> str:
    """Return tweets on a subject in the last minute of event time, by kind."""
    return at_night(m.TWEETS_MINUTE, OF_ENGINE, f'subject="{subject}"')


def tweets_so_far(subject: str) -> str:
    """Return all tweets on a subject, by kind."""
    return at_night(m.TWEETS, OF_ENGINE, f'subject="{subject}"')


def stances_minute(subject: str) -> str:
    """Return tweets on a subject in the last minute of event time, by stance."""
    return at_night(m.STANCES_MINUTE, OF_ENGINE, f'subject="{subject}"')


def stance_shares(subject: str) -> str:
    """Return each stance's share of all tweets on a subject so far."""
    stances = at_night(m.STANCES, OF_ENGINE, f'subject="{subject}"')
    return f"{stances} / on () group_left () {total(stances)}"


RUN = at_night(m.RUN_INFO)
MOMENT = millis(at_night(m.REPLAY_TIME))
PHASE_THEN = f'label_replace({at_night(m.PHASE)} == 1, "run", "", "", "")'
"""Without the run's id, which a panel of rows would show a second time."""
TALK_LATE = f"{at_night(m.TALK_START)} - on () {at_night(m.PHASE_START, IN_SCHEDULED)}"


# --- the announcement -------------------------------------------------------------------------------------------------
def with_bounds(metric: Metric) -> str:
    """Return an estimate and the bounds of its interval, distinguished by the label ``bound``."""
    return at_night(metric, OF_ENGINE)


def bound(metric: Metric, name: str) -> str:
    """Return an estimate or one bound of its interval."""
    return at_night(metric, OF_ENGINE, f'bound="{name}"')


BASELINE = at_night(m.BASELINE, OF_ENGINE)
REACTION = tweets_minute(ANNOUNCEMENT)
REACTION_TRUTH = total(at_night(m.TWEETS_MINUTE, OF_TRUTH, f'subject="{ANNOUNCEMENT}"'))
REACTION_PEAK_TIME = millis(at_night(m.REACTION_PEAK_TIME, OF_ENGINE))
SINCE_ANNOUNCED = f"{at_night(m.REPLAY_TIME)} - scalar({at_night(m.ANNOUNCED)})"
HASHTAGS = at_night(m.HASHTAGS, OF_ENGINE)
AUTHORS = at_night(m.AUTHORS, OF_ENGINE, 'subject!="*"')
AUTHORS_HERE = at_night(m.AUTHORS, OF_ENGINE, f'subject="{ANNOUNCEMENT}"')
AUTHORS_EVER = at_night(m.AUTHORS, OF_ENGINE, 'subject="*"')
THREAD_REPOSTS = at_night(m.THREAD_REPOSTS, OF_ENGINE)

# --- the run and its replay -------------------------------------------------------------------------------------------
RUN_ENDED = m.RUN_ENDED.name
EVENT_TIME = millis(m.REPLAY_TIME.name)
PHASE_NOW = f"{m.PHASE.name} == 1"
NIGHT_DONE = f"({m.REPLAY_TIME.name} - {m.NIGHT_START.name}) / ({m.NIGHT_END.name} - {m.NIGHT_START.name})"
REPLAY_SPEED = m.REPLAY_SPEED.name
REPLAY_TARGET = f"{m.REPLAY_TARGET_SPEED.name} > 0"
REPLAY_LATENESS = m.REPLAY_LATENESS.name
REPLAY_ON_TIME = m.REPLAY_ON_TIME.name
REPLAY_STATE = f"{m.REPLAY_STATE.name} == 1"
REPLAY_SILENT = f"time() - {m.REPLAY_SEEN.name}"
SENT_PER_SECOND = per_second(m.REPLAY_RECORDS, 'outcome="sent"')
NOT_SENT = select(m.REPLAY_RECORDS, 'outcome="failed"')

# --- engines ----------------------------------------------------------------------------------------------------------
WATERMARK = millis(select(m.WATERMARK, OF_ENGINES))
LAG = select(m.LAG, OF_ENGINES)
PROGRESS = select(m.PROGRESS, OF_ENGINES)
ENGINE_ENDED = select(m.ENGINE_ENDED, OF_ENGINES)
COUNTED_PER_SECOND = total(per_second(m.ENGINE_EVENTS, OF_ENGINES), "engine")
COUNTED = total(select(m.ENGINE_EVENTS, OF_ENGINES), "engine")
DUPLICATES = total(select(m.DUPLICATES, OF_ENGINES), "engine")
DEAD_LETTERS = total(select(m.DEAD_LETTERS, OF_ENGINES), "engine")
AUDIENCE_ERROR = select(m.AUDIENCE_ERROR, OF_ENGINES)
ERROR_MAX = select(m.ERROR_MAX, OF_ENGINES)
ERROR_SUM = select(m.ERROR_SUM, OF_ENGINES)
WRONG_COUNTS = total(ERROR_SUM, "engine")
PLAYED = f"{m.REPLAY_TIME.name} - {m.REPLAY_TIME.name} offset 10s"
"""Event time that passed in the last ten seconds of wall clock time; negative after a jump back."""


def in_wall_clock(lag: str, played: str = PLAYED) -> str:
    """Return an engine's lag in seconds of wall clock time: divided by the pace of the last ten seconds, at least 1.

    The pace is how event time moved, not the replay's speed: where quiet hours are skipped, hours pass at once, and an
    engine that is hours behind is seconds behind. More than ten seconds mean that the replay was already past the
    engine's watermark ten seconds ago. After a jump back there is no value for ten seconds.
    """
    return f"{lag} / on () group_left () clamp_min(({played} >= 0) / 10, 1)"


LAG_WALL = in_wall_clock(LAG)
ALERTS = 'ALERTS{alertstate="firing",engine=~"$engine|"}'
"""The firing alerts of the engine, and of no engine; Prometheus writes them where the rules are loaded."""

# --- the exporter -----------------------------------------------------------------------------------------------------
READ_PER_SECOND = per_second(m.READ_RECORDS)
REJECTED = m.REJECTED_RECORDS.name
SCRAPE = m.SCRAPE.name
ROOMS_LEFT_OUT = m.ROOMS_LEFT_OUT.name

# --- the receiver of pages --------------------------------------------------------------------------------------------
PAGES = receiver.PAGES.name
PAGE_DELAY = receiver.PAGE_DELAY.name
NOTIFICATIONS = receiver.NOTIFICATIONS.name
NOTIFICATIONS_REPEATED = receiver.NOTIFICATIONS_REPEATED.name

# --- the broker -------------------------------------------------------------------------------------------------------
BROKER_UP = m.BROKER_UP.name
BROKER_UNHEALTHY = m.BROKER_UNHEALTHY.name
BROKER_RESPONSE = m.BROKER_RESPONSE.name
BROKER_WRITTEN = per_second(m.BROKER_WRITTEN)
BROKER_KEPT = m.BROKER_KEPT.name

# --- workers of the engine faust --------------------------------------------------------------------------------------
# ``instance`` is Prometheus's label for each target: one per worker.
WORKER_AGE = f"time() - {select(m.WORKER_START, OF_ENGINES)}"
COUNTED_BY_WORKER = total(per_second(m.WORKER_EVENTS, OF_ENGINES), "engine", "instance")
LAG_RECORDS = total(select(m.WORKER_LAG, OF_ENGINES), "engine", "topic")
LAG_OF_PARTITIONS = f"max by (engine, topic) ({select(m.WORKER_EVENT_LAG, OF_ENGINES)})"
STAGES = total(per_second(m.WORKER_STAGE, OF_ENGINES), "stage")
_CHUNKS = total(per_second(m.WORKER_CHUNKS, OF_ENGINES), "topic")
CHUNK_SIZE = f"{total(per_second(m.WORKER_EVENTS, OF_ENGINES), 'topic')} / {_CHUNKS}"
CHECKPOINTS = total(per_second(m.WORKER_CHECKPOINTS, OF_ENGINES), "kind")
CHECKPOINT_BYTES = total(per_second(m.WORKER_CHECKPOINT_BYTES, OF_ENGINES), "engine")
PUBLISHED = total(per_second(m.WORKER_PUBLISHED, OF_ENGINES), "engine")
RESTORED = total(select(m.WORKER_RESTORED, OF_ENGINES), "engine", "source")
WORKER_DEAD_LETTERS = total(select(m.WORKER_DEAD_LETTERS, OF_ENGINES), "engine", "reason")
WORKER_DUPLICATES = total(select(m.WORKER_DUPLICATES, OF_ENGINES), "engine", "instance")
