"""Turns a run's values into metric samples; no clock and no state, so it works for past moments too.

Every function takes ``at``, the time of the samples (seconds since the epoch); with None, the scrape sets it.
"""

import heapq
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np

from streams.contract.breakdowns import BY_REASON, CAUSES, CLIENTS
from streams.contract.durations import TIME_TO_EXIT, TIME_TO_JOIN, TIME_TO_REJOIN
from streams.contract.names import ALL, MINUTE_MS, OTHER
from streams.contract.results import STANCE, STANCES
from streams.contract.runinfo import RunInfo, RunStatus
from streams.effect.baseline import STEP_MS, Estimate
from streams.effect.estimate import ReactionEstimate, estimate_reaction
from streams.exporter.brokerhealth import BrokerHealth
from streams.metrics import definitions as metrics
from streams.metrics.families import Families
from streams.metrics.labels import (
    BOUNDS,
    DURATION_BOUNDS_MS,
    PRESENCE_KINDS,
    QUANTILES,
    REPLAY_STATES,
    TOP_HASHTAGS,
    TWEET_KINDS,
)
from streams.metrics.metric import Metric
from streams.read.derive import ResultsAt, ResultsView
from streams.read.difference import Difference
from streams.read.runview import EngineView, RunView
from streams.read.steps import Ints

TAPE_DIGITS = 12
"""Digits of the tape's hash in the label."""
MOST_STRETCHES = 50_000
"""From so many windows on (69 hours of 5 s), the reaction is estimated from counts of longer stretches."""


def add_run(families: Families, info: RunInfo, *, at: float | None = None) -> None:
    """Add the run's constants."""
    name, scale, seed = info.scenario, f"{info.scale:g}", str(info.seed)
    families.add(metrics.RUN_INFO, 1, info.run, name, scale, seed, info.tape_sha256[:TAPE_DIGITS], at=at)
    families.add(metrics.NIGHT_START, info.start / 1000, at=at)
    families.add(metrics.NIGHT_END, info.end / 1000, at=at)
    families.add(metrics.TALK_START, info.talk_start / 1000, at=at)
    families.add(metrics.ANNOUNCED, None if info.announced is None else info.announced / 1000, at=at)
    for phase in info.phases:
        families.add(metrics.PHASE_START, phase.start / 1000, phase.name, at=at)


def add_phase(families: Families, info: RunInfo, replay_at: int, *, at: float | None = None) -> None:
    """Add the replay's event time (ms), the phase it is in and the capacity of the rooms."""
    families.add(metrics.REPLAY_TIME, replay_at / 1000, at=at)
    families.add(metrics.CAPACITY, info.capacity_at(replay_at), at=at)
    now = info.phase_at(replay_at)
    for phase in info.phases:
        families.add(metrics.PHASE, phase.name == now, phase.name, at=at)


def add_replay(families: Families, status: RunStatus, *, at: float | None = None) -> None:
    """Add the replay's status."""
    families.add(metrics.REPLAY_TARGET_SPEED, status.speed, at=at)
    families.add(metrics.REPLAY_SPEED, status.actual_speed, at=at)
    families.add(metrics.REPLAY_LATENESS, status.lateness_seconds, at=at)
    families.add(metrics.REPLAY_ON_TIME, status.on_time_ratio, at=at)
    families.add(metrics.REPLAY_RECORDS, status.sent, "sent", at=at)
    families.add(metrics.REPLAY_RECORDS, status.failed, "failed", at=at)
    families.add(metrics.REPLAY_SEEN, status.wall_ms / 1000, at=at)
    for state in REPLAY_STATES:
        families.add(metrics.REPLAY_STATE, state == status.state, state, at=at)


def most_visited(engines: Iterable[ResultsView], spaces: Sequence[str], most: int) -> tuple[str, ...]:
    """Return the spaces where the most people have been, by all that any engine has counted, in the given order."""
    if len(spaces) <= most:
        return tuple(spaces)
    visited = dict.fromkeys(spaces, 0)
    for view in engines:
        for space in spaces:
            visited[space] = max(visited[space], view.audience[space].whole("first_joins"))
    chosen = set(heapq.nlargest(most, spaces, key=visited.__getitem__))
    return tuple(space for space in spaces if space in chosen)


def add_audience(
    families: Families, engine: str, now: ResultsAt, spaces: Sequence[str], *, at: float | None = None
) -> None:
    """Add an engine's values for the launch, of some of its spaces."""
    for space in spaces:
        peak, peak_at = now.peak(space)
        families.add(metrics.AUDIENCE, now.audience(space), engine, space, at=at)
        families.add(metrics.AUDIENCE_PEAK, peak, engine, space, at=at)
        families.add(metrics.AUDIENCE_PEAK_TIME, peak_at / 1000, engine, space, at=at)
        families.add(metrics.DROP_RATIO, now.drop_ratio(space), engine, space, at=at)
        families.add(metrics.JOIN_SUCCESS, now.join_success(space), engine, space, at=at)
        for kind, count in PRESENCE_KINDS.items():
            families.add(metrics.PRESENCE, now.presence(space, count), engine, space, kind, at=at)
            families.add(metrics.PRESENCE_MINUTE, now.presence_last_minute(space, count), engine, space, kind, at=at)
    for space in (*spaces, ALL):
        families.add(metrics.DISTINCT_LISTENERS, now.distinct_listeners(space), engine, space, at=at)
    families.add(metrics.WAITING, now.waiting(), engine, at=at)
    families.add(metrics.WAITING_PEAK, now.waiting_peak(), engine, at=at)
    families.add(metrics.WAITED, now.waited_20m(), engine, at=at)


def add_durations(families: Families, engine: str, now: ResultsAt, *, at: float | None = None) -> None:
    """Add how long people waited; of an engine that publishes no durations there is nothing to add."""
    for family, quantiles, buckets in (
        (TIME_TO_JOIN, metrics.TIME_TO_JOIN, metrics.TIME_TO_JOIN_BUCKET),
        (TIME_TO_REJOIN, metrics.TIME_TO_REJOIN, metrics.TIME_TO_REJOIN_BUCKET),
    ):
        for share in QUANTILES:
            families.add(quantiles, now.duration(family, share), engine, f"{share:g}", at=at)
        for bound in DURATION_BOUNDS_MS:
            families.add(buckets, now.durations_so_far(family, bound), engine, str(bound / 1000), at=at)
        families.add(buckets, now.durations_so_far(family), engine, "+Inf", at=at)
    families.add(metrics.EXITS, now.durations_so_far(TIME_TO_EXIT), engine, at=at)
    families.add(metrics.EXIT_RATIO, now.exit_ratio(), engine, at=at)


def add_breakdowns(families: Families, engine: str, now: ResultsAt, *, at: float | None = None) -> None:
    """Add values by client and by reason; of an engine that publishes no breakdowns there is nothing to add."""
    for client in (*CLIENTS, OTHER):
        families.add(metrics.CLIENT_AUDIENCE, now.client_audience(client), engine, client, at=at)
        families.add(metrics.CLIENT_DROP_RATIO, now.client_drop_ratio(client), engine, client, at=at)
        families.add(metrics.CLIENT_JOIN_SUCCESS, now.client_join_success(client), engine, client, at=at)
    for kind, family in BY_REASON.items():
        for reason in (*CAUSES, OTHER):
            families.add(metrics.REASON_MINUTE, now.reason_last_minute(family, reason), engine, kind, reason, at=at)


def add_tweets(families: Families, engine: str, now: ResultsAt, *, at: float | None = None) -> None:
    """Add an engine's values for the tweets."""
    for subject in now.view.subjects:
        for kind, count in TWEET_KINDS.items():
            families.add(metrics.TWEETS, now.tweets(subject, count), engine, subject, kind, at=at)
            families.add(metrics.TWEETS_MINUTE, now.tweets_last_minute(subject, count), engine, subject, kind, at=at)
        for name in STANCES:
            stance = STANCE + name
            families.add(metrics.STANCES, now.tweets(subject, stance), engine, subject, name, at=at)
            families.add(metrics.STANCES_MINUTE, now.tweets_last_minute(subject, stance), engine, subject, name, at=at)
    for subject in (*now.view.subjects, ALL):
        families.add(metrics.AUTHORS, now.distinct_authors(subject), engine, subject, at=at)
    for tag, total in islice(now.hashtags().items(), TOP_HASHTAGS):
        families.add(metrics.HASHTAGS, total, engine, tag, at=at)
    reposts = sum(now.tweets(subject, "thread_reposts") for subject in now.view.subjects)
    families.add(metrics.THREAD_REPOSTS, reposts, engine, at=at)


def subject_of_announcement(info: RunInfo) -> str | None:
    """Return the subject whose rule names the thread's conversation; None if there is none."""
    return next((rule.subject for rule in info.subjects if info.thread in rule.conversations), None)


def reaction_at(info: RunInfo, view: ResultsView, until: int) -> ReactionEstimate | None:
    """Estimate the reaction over the first ``until`` windows; None before it, or if the baseline is too short."""
    subject = subject_of_announcement(info)
    if info.announced is None or subject is None:
        return None
    counts, width_ms = reaction_counts(view, subject, until)
    try:
        return estimate_reaction(counts, start=info.start, window_ms=width_ms, announced=info.announced)
    except ValueError:  # before the announcement, or the baseline is too short
        return None


def reaction_counts(view: ResultsView, subject: str, until: int) -> tuple[Ints, int]:
    """Return the tweets on a subject over the first ``until`` windows, as counts of equal stretches, and their length.

    A stretch is one window (ms). In a night of more than ``MOST_STRETCHES`` windows it is several, up to ten minutes.
    """
    windows, width_ms = view.grid.windows, view.grid.window_ms
    several = max(1, min(-(-windows // MOST_STRETCHES), STEP_MS // width_ms))
    sums = view.posted(subject)[np.arange(0, until + 1, several)]
    return np.diff(sums), several * width_ms


def minutes_since_announced(info: RunInfo, now: ResultsAt) -> float:
    """Return the event minutes from the start of the announcement's window."""
    announced = info.start if info.announced is None else info.announced
    return (now.until - now.view.grid.until(announced)) * info.window_ms / MINUTE_MS


def add_reaction(
    families: Families, engine: str, found: ReactionEstimate, minutes: float, *, at: float | None = None
) -> None:
    """Add the reaction to the announcement, ``minutes`` of event time after it."""
    _add_bounds(families, metrics.UPLIFT, engine, found.uplift, at=at)
    _add_bounds(families, metrics.EXCESS, engine, found.excess, at=at)
    if found.half_life_ms is not None:
        _add_bounds(families, metrics.HALF_LIFE, engine, found.half_life_ms, 1000, at=at)
    if found.peak is not None:
        families.add(metrics.REACTION_PEAK_TIME, found.peak.value / 1000, engine, at=at)
    families.add(metrics.BASELINE, found.without.value / minutes, engine, at=at)


def _add_bounds(
    families: Families, metric: Metric, engine: str, found: Estimate, scale: float = 1, *, at: float | None
) -> None:
    for bound, value in zip(BOUNDS, (found.value, found.low, found.high), strict=True):
        families.add(metric, value / scale, engine, bound, at=at)


def add_engine(
    families: Families, engine: EngineView, events: int, replay_at: int | None, *, at: float | None = None
) -> None:
    """Add an engine's progress; ``events`` is the number on the tape, ``replay_at`` the replay's event time (ms)."""
    covered, watermark = engine.covered, engine.watermark
    families.add(metrics.WATERMARK, None if watermark is None else watermark / 1000, engine.name, at=at)
    if watermark is not None and replay_at is not None:
        families.add(metrics.LAG, max(0, replay_at - watermark) / 1000, engine.name, at=at)
    families.add(metrics.PROGRESS, sum(covered.events.values()) / events if events else 1.0, engine.name, at=at)
    families.add(metrics.ENGINE_ENDED, covered.ended, engine.name, at=at)
    for metric, counts in (
        (metrics.ENGINE_EVENTS, covered.events),
        (metrics.DUPLICATES, covered.duplicates),
        (metrics.DEAD_LETTERS, covered.dead_letters),
    ):
        for topic, count in counts.items():
            families.add(metric, count, engine.name, topic, at=at)


def add_difference(
    families: Families, engine: str, found: Difference, spaces: Iterable[str], *, at: float | None = None
) -> None:
    """Add an engine's differences from the truth; those of single spaces only for some of them."""
    for value, size in found.greatest.items():
        families.add(metrics.ERROR_MAX, size, engine, value, at=at)
    for value, size in found.total.items():
        families.add(metrics.ERROR_SUM, size, engine, value, at=at)
    for space in spaces:
        families.add(metrics.AUDIENCE_ERROR, found.audience[space], engine, space, at=at)


def add_broker(families: Families, broker: BrokerHealth, *, at: float | None = None) -> None:
    """Add the broker's health."""
    families.add(metrics.BROKER_UP, broker.up, at=at)
    families.add(metrics.BROKER_RESPONSE, broker.response_seconds, at=at)
    families.add(metrics.BROKER_UNHEALTHY, broker.unhealthy, at=at)
    for metric, counts in ((metrics.BROKER_WRITTEN, broker.written), (metrics.BROKER_KEPT, broker.kept)):
        for topic, count in counts.items():
            families.add(metric, count, topic, at=at)


def add_reading(families: Families, view: RunView, *, at: float | None = None) -> None:
    """Add the numbers of records the reader has read and rejected."""
    for topic, count in view.records.items():
        families.add(metrics.READ_RECORDS, count, topic, at=at)
    for (topic, reason), count in view.rejected.items():
        families.add(metrics.REJECTED_RECORDS, count, topic, reason, at=at)
