"""*The announcement*: the reaction to a thread of the next day, compared with its baseline."""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.common import BigValueTextMode

from dashboards import palette, variables
from dashboards import queries as q
from dashboards.panels import (
    NO_THREAD,
    QUARTER,
    THIRD,
    GraphStyle,
    Panel,
    PanelQuery,
    PanelText,
    StatStyle,
    bars,
    figure,
    graph,
)
from streams.contract.names import ANNOUNCEMENT
from streams.metrics import definitions as m
from streams.metrics.labels import TOP_HASHTAGS

UID = "joinstorm-announcement"
_BOUND = StatStyle(mode=BigValueTextMode.VALUE_AND_NAME, decimals=1)


def build() -> dashboard.Dashboard:
    """Return the board."""
    made = variables.board(
        UID,
        "The announcement",
        "The day after, the head of engineering announces his exit in a thread: the reaction compared with its "
        "baseline, the excess the thread caused, how long it lasts, and its stances.",
        variables.DAY_AFTER,
    )
    made = made.with_variable(variables.engine_of_run())
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
        "The ratio of the reaction to its baseline since the announcement: the estimate and the bounds of its "
        "interval.",
        "no value before the thread begins; then a steep rise and a slow fall, as quieter hours enter the average. An "
        "interval that stays above 1 shows that the announcement had an effect.",
        empty=NO_THREAD,
    )
    excess = PanelText(
        "Excess tweets",
        "Tweets since the announcement beyond the baseline: the estimate and the bounds of its interval.",
        "growth while the reaction lasts, then a plateau.",
        empty=NO_THREAD,
    )
    half_life = PanelText(
        "Half-life",
        "Time from the peak until half of the later excess has arrived: the estimate and the bounds of its interval.",
        "no value until the peak has passed; then a wide interval that narrows every quarter of an hour.",
        empty=NO_THREAD,
    )
    return (
        figure(uplift, "short", PanelQuery(q.with_bounds(m.UPLIFT), "{{bound}}"), style=_BOUND, span=THIRD),
        figure(excess, "short", PanelQuery(q.with_bounds(m.EXCESS), "{{bound}}"), style=_BOUND, span=THIRD),
        figure(half_life, "s", PanelQuery(q.with_bounds(m.HALF_LIFE), "{{bound}}"), style=_BOUND, span=THIRD),
    )


def _sizes() -> tuple[Panel, ...]:
    since = PanelText(
        "Time since the thread began",
        "Event time since the first post of the thread; negative before it.",
        "the clock of this board: the peak comes within the first half hour.",
        empty=NO_THREAD,
    )
    peak = PanelText(
        "Peak at",
        "Event time at which the reaction was strongest.",
        "a time soon after the thread is complete; it may still move in the first hour.",
        empty=NO_THREAD,
    )
    authors = PanelText(
        "Distinct authors",
        "Distinct people who have tweeted on the announcement.",
        "fewer authors than tweets: many people reply more than once.",
    )
    reposts = PanelText(
        "Reposts of the thread",
        "Number of reposts of the thread itself.",
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
        "Tweets on the announcement in the last minute of event time, by the engine (solid) and the truth (dashed), "
        "and the baseline (dashed) from the hours before.",
        "**before**: the reaction fluctuates around the baseline. **Thread**: it leaves the baseline within minutes. "
        "**Aftermath**: it decays by halves; the area above the baseline is the excess.",
    )
    return graph(
        text,
        "short",
        PanelQuery(q.REACTION, "reaction"),
        PanelQuery(q.REACTION_TRUTH, "truth"),
        PanelQuery(q.BASELINE, "baseline"),
        style=GraphStyle(
            {"reaction": palette.REACTION, "baseline": palette.BASELINE},
            dashed="baseline",
        ),
    )


def _kinds() -> Panel:
    text = PanelText(
        "Reaction by kind",
        "Tweets on the announcement in the last minute of event time: posts, replies, quotes, reposts.",
        "reposts first, then replies; independent posts come last and persist longest.",
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
        "The uplift at each moment, with the bounds of its interval (dashed).",
        "an interval that narrows; once its lower bound is above 1, chance does not explain the effect.",
        empty=NO_THREAD,
    )
    return graph(
        text,
        "short",
        PanelQuery(q.bound(m.UPLIFT, "estimate"), "estimate"),
        PanelQuery(q.bound(m.UPLIFT, "low"), "low"),
        PanelQuery(q.bound(m.UPLIFT, "high"), "high"),
        style=GraphStyle(
            {"estimate": palette.REACTION, "low|high": palette.BASELINE},
            dashed="low|high",
            limit=(1, palette.BASELINE),
            logarithmic=True,
        ),
    )


def _stances() -> Panel:
    text = PanelText(
        "Stance of the reaction",
        "Tweets on the announcement in the last minute of event time, by stance: an estimate from a word list, not a "
        "count.",
        "thanks and farewells first; then speculation whether he quit or was fired; mockery and blame when the launch "
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
        "Share of each stance among all tweets on the announcement: an estimate from a word list.",
        "the difference from the engine `truth`, which has the intended stances: it is the word list's error.",
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
        "The most used hashtags of the night so far, by number of tweets.",
        "the launch's hashtags for a day; the thread's hashtag enters late and climbs.",
    )
    return bars(
        text,
        "none",
        PanelQuery(q.HASHTAGS, "#{{hashtag}}"),
        colour=palette.REACTION,
        longest=TOP_HASHTAGS,
        span=QUARTER,
    )


def _authors() -> Panel:
    text = PanelText(
        "Authors by subject",
        "Distinct people who have tweeted on each subject, and on any subject.",
        "*everything* below the sum of the subjects: many people tweet on more than one.",
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
        "at the end, the totals of the report.",
    )
    return bars(
        text,
        "short",
        PanelQuery(q.tweets_so_far(ANNOUNCEMENT), "{{kind}}"),
        colours=palette.TWEET_KINDS,
        span=QUARTER,
    )
