"""*The announcement*: what a thread of the next day sets off, against what would have been said without it."""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.common import BigValueTextMode

from dashboards import palette, variables
from dashboards import queries as q
from dashboards.panels import QUARTER, THIRD, GraphStyle, Panel, PanelQuery, PanelText, StatStyle, bars, figure, graph
from streams.contract.names import ANNOUNCEMENT
from streams.metrics import definitions as m

UID = "joinstorm-announcement"
_BOUND = StatStyle(mode=BigValueTextMode.VALUE_AND_NAME, decimals=1)


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
    uplift = PanelText(
        "Uplift",
        "How many times its baseline the reaction is since the announcement: the estimate and the ends of its "
        "interval.",
        "nothing before the thread begins. Then a steep rise and a slow fall, as the average takes in quieter hours; "
        "an interval that stays above 1 says that the announcement had an effect at all.",
    )
    excess = PanelText(
        "Excess tweets",
        "Tweets since the announcement beyond those the baseline leads to expect: the estimate and the ends of its "
        "interval.",
        "it grows as long as the reaction lasts and flattens when it is over.",
    )
    half_life = PanelText(
        "Half-life",
        "From the peak until half of the excess after it has come: the estimate and the ends of its interval.",
        "nothing until the peak is past; a wide interval that narrows with every quarter of an hour.",
    )
    return (
        figure(uplift, "short", PanelQuery(q.with_bounds(m.UPLIFT), "{{bound}}"), style=_BOUND, span=THIRD),
        figure(excess, "short", PanelQuery(q.with_bounds(m.EXCESS), "{{bound}}"), style=_BOUND, span=THIRD),
        figure(half_life, "s", PanelQuery(q.with_bounds(m.HALF_LIFE), "{{bound}}"), style=_BOUND, span=THIRD),
    )


def _sizes() -> tuple[Panel, ...]:
    since = PanelText(
        "Since the thread began",
        "Event time since the first post of the thread; negative before it.",
        "it is the clock of this board: the peak comes in the first half hour.",
    )
    peak = PanelText(
        "Peak at",
        "When the reaction was strongest, in event time.",
        "soon after the thread is complete; it may still move in the first hour.",
    )
    authors = PanelText(
        "Different authors",
        "Different people who have tweeted on the announcement.",
        "fewer than tweets: who replies once replies again.",
    )
    reposts = PanelText(
        "Reposts of the thread",
        "How often the thread itself was passed on.",
        "the largest single part of the reaction in its first minutes.",
    )
    return (
        figure(since, "dtdurations", PanelQuery(q.SINCE_ANNOUNCED), style=StatStyle(), span=QUARTER),
        figure(peak, "dateTimeAsIso", PanelQuery(q.REACTION_PEAK_TIME), style=StatStyle(), span=QUARTER),
        figure(authors, "short", PanelQuery(q.AUTHORS_HERE), style=StatStyle(colour=palette.REACTION), span=QUARTER),
        figure(reposts, "short", PanelQuery(q.THREAD_REPOSTS), style=StatStyle(colour=palette.REACTION), span=QUARTER),
    )


def _reaction() -> Panel:
    text = PanelText(
        "Reaction and baseline",
        "Tweets on the announcement in the last minute of event time, by the engine (solid) and by the truth "
        "(dashed), and what the hours before lead to expect (dotted level).",
        "**before**: it wanders around the baseline. **Thread**: it leaves it within minutes. **Afterwards**: it "
        "halves, and halves again; the area above the baseline is the excess.",
    )
    return graph(
        text,
        "short",
        PanelQuery(q.REACTION, "reaction"),
        PanelQuery(q.REACTION_TRUTH, "truth"),
        PanelQuery(q.BASELINE, "baseline"),
        style=GraphStyle(
            {"reaction": palette.REACTION, "truth": palette.TRUTH, "baseline": palette.BASELINE},
            dashed="truth|baseline",
        ),
    )


def _kinds() -> Panel:
    text = PanelText(
        "Reaction by kind",
        "Tweets on the announcement in the last minute of event time: posts, replies, quotes, reposts.",
        "reposts first, then replies; posts that do not answer the thread come last and stay longest.",
    )
    return graph(
        text,
        "short",
        PanelQuery(q.tweets_minute_by_kind(ANNOUNCEMENT), "{{kind}}"),
        style=GraphStyle(palette.TWEET_KINDS, stacked=True),
    )


def _uplift() -> Panel:
    text = PanelText(
        "Uplift over time",
        "The uplift as it stood at each moment, with the ends of its interval (dashed).",
        "an interval that narrows; where its lower end is above 1 the effect is no accident of the hour.",
    )
    return graph(
        text,
        "short",
        PanelQuery(q.bound(m.UPLIFT, "estimate"), "estimate"),
        PanelQuery(q.bound(m.UPLIFT, "low"), "low"),
        PanelQuery(q.bound(m.UPLIFT, "high"), "high"),
        style=GraphStyle(
            {"estimate": palette.REACTION, "low|high": palette.BASELINE}, dashed="low|high", limit=(1, palette.BASELINE)
        ),
    )


def _stances() -> Panel:
    text = PanelText(
        "Stance of the reaction",
        "Tweets on the announcement in the last minute of event time, by stance: an estimate by a word list, not a "
        "count.",
        "thanks and farewell first; speculation on whether he went or was sent; mockery and blame where the launch "
        "comes up.",
    )
    return graph(
        text,
        "short",
        PanelQuery(q.stances_minute(ANNOUNCEMENT), "{{stance}}"),
        style=GraphStyle(palette.STANCES, stacked=True),
    )


def _shares() -> Panel:
    text = PanelText(
        "Stances so far",
        "Share of each stance among all tweets on the announcement: an estimate by a word list.",
        "compare with the engine `truth`, which has what the generator meant: the difference is the word list's error.",
    )
    return bars(
        text,
        "percentunit",
        PanelQuery(q.stance_shares(ANNOUNCEMENT), "{{stance}}"),
        colours=palette.STANCES,
        span=QUARTER,
    )


def _hashtags() -> Panel:
    text = PanelText(
        "Hashtags",
        "The most used hashtags of the whole night so far, tweets that carry them.",
        "the hashtags of the launch for a day; the thread's own enters late and climbs.",
    )
    return bars(text, "short", PanelQuery(q.HASHTAGS, "#{{hashtag}}"), span=QUARTER)


def _authors() -> Panel:
    text = PanelText(
        "Authors by subject",
        "Different people who have tweeted on each subject, and on anything at all.",
        "*everything* is less than the sum: many write on more than one subject.",
    )
    return bars(
        text,
        "short",
        PanelQuery(q.AUTHORS, "{{subject}}"),
        PanelQuery(q.AUTHORS_EVER, "everything"),
        colours=palette.SUBJECTS,
        span=QUARTER,
    )


def _everything() -> Panel:
    text = PanelText(
        "Tweets so far",
        "All tweets on the announcement so far, by kind.",
        "the totals the report has at the end.",
    )
    return bars(
        text,
        "short",
        PanelQuery(q.tweets_so_far(ANNOUNCEMENT), "{{kind}}"),
        colours=palette.TWEET_KINDS,
        span=QUARTER,
    )
