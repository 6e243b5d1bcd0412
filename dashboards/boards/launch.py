"""*The launch*: what happened in the rooms, and the tweets about it."""

from grafana_foundation_sdk.builders import dashboard

from dashboards import nightalerts, palette, variables
from dashboards import queries as q
from dashboards import thresholds as limits
from dashboards.boards import launchcauses, launchtotals
from dashboards.panels import (
    HALF,
    QUARTER,
    THIRD,
    Field,
    GraphStyle,
    Panel,
    PanelQuery,
    PanelText,
    StatStyle,
    figure,
    graph,
    sentence,
    states,
    timeline,
)
from streams.contract.names import LAUNCH

UID = "joinstorm-launch"
_FIRST_SCREEN = 6
"""Height of the graphs that are seen without scrolling, at 1280 x 800."""


def build() -> dashboard.Dashboard:
    """Return the board."""
    made = variables.board(
        UID,
        "The launch",
        "A live-audio launch melts its servers: the rooms, the people waiting outside, and the tweets about it, as one "
        "engine counts them, compared with the truth.",
        variables.EVENING,
    )
    made = made.with_variable(variables.engine_of_run()).with_variable(variables.space())
    for panel in (_now(), _phases(), _alerts(), _audience(), _waiting(), *_figures()):
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("Whom it hits, and why"))
    for panel in launchcauses.panels():
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("The night so far"))
    for panel in launchtotals.panels():
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("How badly it melts"))
    for panel in (_drop_ratio(), _join_success(), _joins_and_drops(), _attempts()):
        made = made.with_panel(panel)
    for panel in (_time_to_join(), _time_to_rejoin(), _exits()):
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("Tweets about it"))
    for panel in (_tweets(), _stances()):
        made = made.with_panel(panel)
    return made


def _now() -> Panel:
    text = PanelText(
        "Now",
        "The scenario and the run shown, the phase of the night the replay is in, the moment of the night up to which "
        "everything has been sent (UTC; New York is four hours behind), the listeners in the selected rooms, the "
        "people who want to be in a room and are not, and the most there have been in any room and outside.",
        "the scenario you expect, and a clock that moves; it stops when the replay is paused or has ended. After the "
        "night nobody is left, and the two greatest figures say what it was.",
    )
    return sentence(
        text,
        PanelQuery(q.RUN, rows=True),
        PanelQuery(q.PHASE_THEN, rows=True),
        PanelQuery(q.MOMENT, "Event time"),
        PanelQuery(q.AUDIENCE_NOW, "In the rooms"),
        PanelQuery(q.WAITING, "Waiting outside"),
        PanelQuery(q.MOST_INSIDE, "Most in a room"),
        PanelQuery(q.MOST_WAITING, "Most outside"),
        fields=(
            Field("scenario", "Scenario"),
            Field("run", "Run"),
            Field("phase", "Phase", texts=palette.PHASES),
            Field("Event time", unit="dateTimeAsIso"),
            Field("In the rooms", unit="short", colour=palette.AUDIENCE),
            Field("Most in a room", unit="short", colour=palette.AUDIENCE),
            Field("Waiting outside", unit="short", colour=palette.WAITING),
            Field("Most outside", unit="short", colour=palette.WAITING),
        ),
    )


def _phases() -> Panel:
    text = PanelText(
        "Phases",
        "The phases of the night the replay has played.",
        "the phases in order: the room opens, the scheduled start passes, the room melts and is closed, the second "
        "room fills, the talk, its end, and the next day. In *control* nothing melts.",
    )
    shown = Field("phase", "phase", texts=palette.PHASES)
    return timeline(text, PanelQuery(q.PHASE_THEN, rows=True), shown, span=HALF)


def _alerts() -> Panel:
    text = PanelText(
        "Alerts",
        "When each alert about the rooms fires, in event time: the rules' own expressions over the engine's values.",
        "nothing before **melting**, then LaunchMelting and JoinSuccessLow, WaitingRoomGrowing soon after, and "
        "AudienceCollapse until the **second room** has filled. In *control* all are silent.",
    )
    return states(
        text,
        PanelQuery(nightalerts.states(nightalerts.of_the_evening()), "{{alertname}}"),
        ("firing", palette.BAD),
        span=HALF,
    )


def _figures() -> tuple[Panel, ...]:
    inside = PanelText(
        "Share in the rooms",
        "Listeners in any room as a share of the crowd: of the people in the rooms or waiting. Red below a half: more "
        "people wait than are inside, as in the alert AudienceCollapse.",
        "nearly 100 % until **melting**, zero when the first room is closed, and a slow return in the second room.",
    )
    outside = PanelText(
        "Share waiting outside",
        "People who want to be in a room and are not (before their first join, refused, or dropped) as a share of the "
        "crowd. Red above 7 %, as in the alert WaitingRoomGrowing.",
        "almost none in *control*; in *launch* a quarter of the crowd in **melting**, and then everyone.",
    )
    drops = PanelText(
        "Drop rate now",
        "Share of the people in the room who were dropped in the last minute of event time, in the worst of the "
        "selected rooms. Red above 1.5 %, as in the alert LaunchMelting.",
        "zero, but for **melting** and the closing of the first room.",
    )
    success = PanelText(
        "Join success now",
        "Share of the attempts answered in the last minute of event time that succeeded, in the worst of the selected "
        "rooms. Red below 75 %, as in the alert JoinSuccessLow.",
        "100 % until the room is over its limit, and again in the second room.",
    )
    few = ((None, palette.BAD), (limits.COLLAPSE, palette.GOOD))
    many = ((None, palette.GOOD), (limits.WAITING_SHARE, palette.BAD))
    dropped = ((None, palette.GOOD), (limits.DROP_RATIO, palette.BAD))
    joined = ((None, palette.BAD), (limits.JOIN_SUCCESS, palette.GOOD))
    shown = (
        (inside, q.INSIDE_SHARE, few),
        (outside, q.WAITING_SHARE, many),
        (drops, q.WORST_DROP_RATIO, dropped),
        (success, q.WORST_JOIN_SUCCESS, joined),
    )
    return tuple(
        figure(
            text,
            "percentunit",
            PanelQuery(expr),
            style=StatStyle(steps=steps, sparkline=True, decimals=1),
            span=QUARTER,
        )
        for text, expr, steps in shown
    )


def _audience() -> Panel:
    text = PanelText(
        "Live audience",
        "Listeners in each room as of the engine's watermark, by the engine (solid) and the truth (dashed, grey). The "
        "thin line is the capacity: what the open room can hold without strain, as simulated; incidents lower it. "
        "Imported nights have none.",
        "**open**: a climb that steepens. **Scheduled start**: the steepest part, up to the capacity. **Melting**: a "
        "sawtooth instead of a climb, as dropped listeners rejoin. **First room closed**: straight down to zero. "
        "**Second room**: up from zero again. **Talk**: a plateau. If solid and dashed lines differ, the engine is "
        "wrong.",
    )
    return graph(
        text,
        "short",
        PanelQuery(q.AUDIENCE, "{{space}}"),
        PanelQuery(q.AUDIENCE_TRUTH, "{{space}} (truth)"),
        PanelQuery(q.CAPACITY, "capacity"),
        style=GraphStyle(colours={**palette.ROOMS, "capacity": palette.CAPACITY}, thin="capacity"),
        span=14,
    ).height(_FIRST_SCREEN)


def _waiting() -> Panel:
    text = PanelText(
        "People waiting",
        "People waiting to get into any room, by the engine (solid) and the truth (dashed, grey).",
        "**melting**: the mirror image of the audience, as every dropped listener waits. **First room closed**: "
        "everyone at once. **Second room**: a decline, as people get in or give up. In *control* it stays near zero.",
    )
    return graph(
        text,
        "short",
        PanelQuery(q.WAITING, "waiting"),
        PanelQuery(q.WAITING_TRUTH, "truth"),
        style=GraphStyle(colours={"waiting": palette.WAITING}),
        span=10,
    ).height(_FIRST_SCREEN)


def _joins_and_drops() -> Panel:
    text = PanelText(
        "Joins and drops per minute",
        "Joins, drops and leaves in the last minute of event time, over the selected rooms; independent of the "
        "replay's speed.",
        "**melting**: drops as high as joins, so the room turns over instead of filling. **First room closed**: one "
        "spike of drops, the whole room. **Talk**: drops near zero. **End**: leaves.",
    )
    return graph(
        text,
        "short",
        PanelQuery(q.presence_minute("join", "drop", "leave"), "{{kind}}"),
        style=GraphStyle(colours={"join": palette.JOIN, "drop": palette.DROP, "leave": palette.LEAVE}),
    )


def _attempts() -> Panel:
    text = PanelText(
        "Attempts per minute",
        "Attempts, first attempts (arrivals), failed attempts, rejoins within a minute of a drop, and people giving "
        "up, in the last minute of event time.",
        "**melting**: many attempts per arrival; the retries are the load. **First room closed**: attempts pause "
        "briefly. **Talk**: attempts fall to the level of arrivals.",
    )
    return graph(
        text,
        "short",
        PanelQuery(q.presence_minute("attempt", "arrival", "fail", "rejoin", "give_up"), "{{kind}}"),
        style=GraphStyle(
            colours={
                "attempt": palette.ATTEMPT,
                "arrival": palette.ARRIVAL,
                "fail": palette.FAIL,
                "rejoin": palette.JOIN,
                "give_up": palette.WAITING,
            }
        ),
    )


def _drop_ratio() -> Panel:
    text = PanelText(
        "Drop rate",
        "Share of the people in the room within the last minute of event time who were dropped. The line is the "
        "threshold of the alert LaunchMelting. Above 25 % the graph is cut off.",
        "**open**: zero. **Melting**: far above the line. **First room closed**: 100 %, off the graph. **Talk**: zero "
        "again. In *control* it never comes near the line.",
    )
    return graph(
        text,
        "percentunit",
        PanelQuery(q.DROP_RATIO, "{{space}}"),
        style=GraphStyle(colours=palette.ROOMS, top=0.25, limit=(limits.DROP_RATIO, palette.BAD)),
    )


def _join_success() -> Panel:
    text = PanelText(
        "Join success",
        "Share of the attempts answered in the last minute of event time that succeeded. The line is the threshold of "
        "the alert JoinSuccessLow.",
        "**open**: 100 %. **Melting**: a fall as soon as the room is over its limit, before the drops begin. **Second "
        "room**: back to 100 %.",
    )
    return graph(
        text,
        "percentunit",
        PanelQuery(q.JOIN_SUCCESS, "{{space}}"),
        style=GraphStyle(colours=palette.ROOMS, top=1, limit=(limits.JOIN_SUCCESS, palette.BAD)),
    )


def _time_to_join() -> Panel:
    text = PanelText(
        "Time to join",
        "Time from a person's first attempt to the first join, of those who joined for the first time in the last "
        "minute of event time: the median, and the times that 5 % and 1 % exceed. Live-video boards call it the video "
        "startup time.",
        "**open**: half a second for everyone. **Melting**: minutes, soon for half of them, as attempts are refused. "
        "**Second room**: the last long waits end. In *control* it stays below a second.",
        "Nobody has joined for the first time.",
    )
    return _quantiles(text, q.TIME_TO_JOIN)


def _time_to_rejoin() -> Panel:
    text = PanelText(
        "Time to rejoin",
        "Time from a drop to the next join, of those who rejoined any room in the last minute of event time: the "
        "median, and the times that 5 % and 1 % exceed.",
        "**melting**: twenty seconds at best, the pause before a client tries again, and minutes as rejoins fail. "
        "**Second room**: everyone comes from the closed room, minutes late. Without drops it is empty.",
        "Nobody has rejoined after a drop.",
    )
    return _quantiles(text, q.TIME_TO_REJOIN)


def _quantiles(text: PanelText, query: str) -> Panel:
    style = GraphStyle(colours=palette.QUANTILES, logarithmic=True)
    return graph(text, "s", PanelQuery(query, "{{quantile}}"), style=style, span=THIRD)


def _exits() -> Panel:
    text = PanelText(
        "Exits before join",
        "Share of the people whose first wait ended in the last minute of event time who left instead of joining, by "
        "the engine (solid) and the truth (dashed, grey). Live-video boards call them exits before video start.",
        "**open**: zero. **Melting** and **first room closed**: people give up before they ever got in; with the room "
        "closed nobody can join, so the share is 100 %. **Second room**: few.",
        "No first wait has ended.",
    )
    return graph(
        text,
        "percentunit",
        PanelQuery(q.EXIT_RATIO, "exits"),
        PanelQuery(q.EXIT_RATIO_TRUTH, "truth"),
        style=GraphStyle(colours={"exits": palette.WAITING}, top=1),
        span=THIRD,
    )


def _tweets() -> Panel:
    text = PanelText(
        "Tweets per minute",
        "Tweets of every kind in the last minute of event time, by subject.",
        "**scheduled start**: anticipation of the launch. **Melting**: a wave of mockery, higher than anything before. "
        "**Next day**: few tweets about the launch, then a rise with the announcement.",
    )
    return graph(
        text,
        "short",
        PanelQuery(q.TWEETS_MINUTE_BY_SUBJECT, "{{subject}}"),
        style=GraphStyle(colours=palette.SUBJECTS, stacked=True),
    )


def _stances() -> Panel:
    text = PanelText(
        "Stance of the launch's tweets",
        "Tweets about the launch in the last minute of event time, by stance: an estimate from a word list, not a "
        "count.",
        "**scheduled start**: neutral and supportive. **Melting**: mockery takes over within minutes, and blame "
        "follows. **Talk**: mixed.",
    )
    return graph(
        text,
        "short",
        PanelQuery(q.stances_minute(LAUNCH), "{{stance}}"),
        style=GraphStyle(colours=palette.STANCES, stacked=True),
    )
