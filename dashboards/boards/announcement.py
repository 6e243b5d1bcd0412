"""*The announcement*: what a thread of the next day sets off, against what would have been said without it."""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.common import BigValueTextMode

from dashboards import looks, variables
from dashboards import queries as q
from dashboards.panels import QUARTER, THIRD, Face, Look, Panel, Query, Text, bars, figure, graph
from streams.contract.names import ANNOUNCEMENT
from streams.metrics import definitions as m

UID = "joinstorm-announcement"
_BOUND = Face(mode=BigValueTextMode.VALUE_AND_NAME, decimals=1)


def build() -> dashboard.Dashboard:
    """Return the board."""
    made = variables.board(
        UID,
        "The announcement",
        "The day after, the head of engineering announces his exit in a thread: the reaction against its baseline, "
        "how much of it would not have been without the thread, how long it lasts, and what people make of it.",
    )
    made = made.with_variable(variables.engine())
    made = made.with_row(dashboard.Row("The effect"))
    for panel in (*_effect(), *_sizes()):
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("The reaction"))
    for panel in (_reaction(), _kinds(), _uplift(), _stances()):
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("So far"))
    for panel in (_shares(), _hashtags(), _authors(), _everything()):
        made = made.with_panel(panel)
    return made


def _effect() -> tuple[Panel, ...]:
    uplift = Text(
        "Uplift",
        "How many times its baseline the reaction is since the announcement: the estimate and the ends of its "
        "interval.",
        "nothing before the thread begins. Then a steep rise and a slow fall, as the average takes in quieter hours; "
        "an interval that stays above 1 says that the announcement had an effect at all.",
    )
    excess = Text(
        "Excess tweets",
        "Tweets since the announcement beyond those the baseline leads to expect: the estimate and the ends of its "
        "interval.",
        "it grows as long as the reaction lasts and flattens when it is over.",
    )
    half_life = Text(
        "Half-life",
        "From the peak until half of the excess after it has come: the estimate and the ends of its interval.",
        "nothing until the peak is past; a wide interval that narrows with every quarter of an hour.",
    )
    return (
        figure(uplift, "short", Query(q.with_bounds(m.UPLIFT), "{{bound}}"), face=_BOUND, span=THIRD),
        figure(excess, "short", Query(q.with_bounds(m.EXCESS), "{{bound}}"), face=_BOUND, span=THIRD),
        figure(half_life, "s", Query(q.with_bounds(m.HALF_LIFE), "{{bound}}"), face=_BOUND, span=THIRD),
    )


def _sizes() -> tuple[Panel, ...]:
    since = Text(
        "Since the thread began",
        "Event time since the first post of the thread; negative before it.",
        "it is the clock of this board: the peak comes in the first half hour.",
    )
    peak = Text(
        "Peak at",
        "When the reaction was strongest, in event time.",
        "soon after the thread is complete; it may still move in the first hour.",
    )
    authors = Text(
        "Different authors",
        "Different people who have tweeted on the announcement.",
        "fewer than tweets: who replies once replies again.",
    )
    reposts = Text(
        "Reposts of the thread",
        "How often the thread itself was passed on.",
        "the largest single part of the reaction in its first minutes.",
    )
    return (
        figure(since, "dtdurations", Query(q.SINCE_ANNOUNCED), face=Face(), span=QUARTER),
        figure(peak, "dateTimeAsIso", Query(q.REACTION_PEAK_TIME), face=Face(), span=QUARTER),
        figure(authors, "short", Query(q.AUTHORS_HERE), face=Face(colour=looks.REACTION), span=QUARTER),
        figure(reposts, "short", Query(q.THREAD_REPOSTS), face=Face(colour=looks.REACTION), span=QUARTER),
    )


def _reaction() -> Panel:
    text = Text(
        "Reaction and baseline",
        "Tweets on the announcement in the last minute of event time, by the engine (solid) and by the truth "
        "(dashed), and what the hours before lead to expect (dotted level).",
        "**before**: it wanders around the baseline. **Thread**: it leaves it within minutes. **Afterwards**: it "
        "halves, and halves again; the area above the baseline is the excess.",
    )
    return graph(
        text,
        "short",
        Query(q.REACTION, "reaction"),
        Query(q.REACTION_TRUTH, "truth"),
        Query(q.BASELINE, "baseline"),
        look=Look(
            {"reaction": looks.REACTION, "truth": looks.TRUTH, "baseline": looks.BASELINE}, dashed="truth|baseline"
        ),
    )


def _kinds() -> Panel:
    text = Text(
        "Reaction by kind",
        "Tweets on the announcement in the last minute of event time: posts, replies, quotes, reposts.",
        "reposts first, then replies; posts that do not answer the thread come last and stay longest.",
    )
    return graph(
        text,
        "short",
        Query(q.tweets_minute_by_kind(ANNOUNCEMENT), "{{kind}}"),
        look=Look(looks.TWEET_KINDS, stacked=True),
    )


def _uplift() -> Panel:
    text = Text(
        "Uplift over time",
        "The uplift as it stood at each moment, with the ends of its interval (dashed).",
        "an interval that narrows; where its lower end is above 1 the effect is no accident of the hour.",
    )
    return graph(
        text,
        "short",
        Query(q.bound(m.UPLIFT, "estimate"), "estimate"),
        Query(q.bound(m.UPLIFT, "low"), "low"),
        Query(q.bound(m.UPLIFT, "high"), "high"),
        look=Look(
            {"estimate": looks.REACTION, "low|high": looks.BASELINE}, dashed="low|high", limit=(1, looks.BASELINE)
        ),
    )


def _stances() -> Panel:
    text = Text(
        "Stance of the reaction",
        "Tweets on the announcement in the last minute of event time, by stance: an estimate by a word list, not a "
        "count.",
        "thanks and farewell first; speculation on whether he went or was sent; mockery and blame where the launch "
        "comes up.",
    )
    return graph(
        text,
        "short",
        Query(q.stances_minute(ANNOUNCEMENT), "{{stance}}"),
        look=Look(looks.STANCES, stacked=True),
    )


def _shares() -> Panel:
    text = Text(
        "Stances so far",
        "Share of each stance among all tweets on the announcement: an estimate by a word list.",
        "compare with the engine `truth`, which has what the generator meant: the difference is the word list's error.",
    )
    return bars(
        text, "percentunit", Query(q.stance_shares(ANNOUNCEMENT), "{{stance}}"), colours=looks.STANCES, span=QUARTER
    )


def _hashtags() -> Panel:
    text = Text(
        "Hashtags",
        "The most used hashtags of the whole night so far, tweets that carry them.",
        "the hashtags of the launch for a day; the thread's own enters late and climbs.",
    )
    return bars(text, "short", Query(q.HASHTAGS, "#{{hashtag}}"), span=QUARTER)


def _authors() -> Panel:
    text = Text(
        "Authors by subject",
        "Different people who have tweeted on each subject, and on anything at all.",
        "*everything* is less than the sum: many write on more than one subject.",
    )
    return bars(
        text,
        "short",
        Query(q.AUTHORS, "{{subject}}"),
        Query(q.AUTHORS_EVER, "everything"),
        colours=looks.SUBJECTS,
        span=QUARTER,
    )


def _everything() -> Panel:
    text = Text(
        "Tweets so far",
        "All tweets on the announcement so far, by kind.",
        "the totals the report has at the end.",
    )
    return bars(
        text,
        "short",
        Query(q.tweets_so_far(ANNOUNCEMENT), "{{kind}}"),
        colours=looks.TWEET_KINDS,
        span=QUARTER,
    )
