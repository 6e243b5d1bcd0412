"""*The launch*: what happened in the rooms, and what was said about it."""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.common import BigValueTextMode

from dashboards import palette, variables
from dashboards import queries as q
from dashboards import thresholds as limits
from dashboards.panels import EIGHTH, QUARTER, GraphStyle, Panel, PanelQuery, PanelText, StatStyle, figure, graph
from streams.contract.names import LAUNCH

UID = "joinstorm-launch"


def build() -> dashboard.Dashboard:
    """Return the board."""
    made = variables.board(
        UID,
        "The launch",
        "A live-audio launch melts its servers: the rooms, the people outside them, and what is said about it, as one "
        "engine counts it, beside the truth.",
    )
    made = made.with_variable(variables.engine()).with_variable(variables.space())
    made = made.with_row(dashboard.Row("The night so far"))
    for panel in (*_when(), *_headlines()):
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("In the rooms and outside"))
    for graph_ in (_audience(), _waiting(), _doors(), _knocking()):
        made = made.with_panel(graph_)
    made = made.with_row(dashboard.Row("How badly it melts"))
    for graph_ in (_drop_ratio(), _join_success()):
        made = made.with_panel(graph_)
    made = made.with_row(dashboard.Row("What is said about it"))
    for graph_ in (_tweets(), _stances()):
        made = made.with_panel(graph_)
    return made


def _when() -> tuple[Panel, ...]:
    named = StatStyle(mode=BigValueTextMode.NAME)
    run = PanelText(
        "Run",
        "The scenario on screen, its scale and seed.",
        "the scenario you meant to watch; everything else on this board belongs to it.",
    )
    phase = PanelText(
        "Phase",
        "The phase of the night the replay is in.",
        "the phases in order: the room opens, the scheduled start passes, it melts, the first room is closed, the "
        "second one fills, the talk, its end, and the next day.",
    )
    clock = PanelText(
        "Event time",
        "The moment of the night up to which everything has been sent (UTC; New York is four hours behind).",
        "a clock that moves; it stands still when the replay is paused or over.",
    )
    late = PanelText(
        "Talk began late by",
        "From the scheduled start to the first word of the talk.",
        "25 to 30 minutes in *launch*, hardly any in *control*. Known from the tape, so it is there from the "
        "beginning.",
    )
    return (
        figure(
            run, "none", PanelQuery(q.RUN, "{{scenario}}, scale {{scale}}, seed {{seed}}"), style=named, span=QUARTER
        ),
        figure(phase, "none", PanelQuery(q.PHASE_NOW, "{{phase}}"), style=named, span=QUARTER),
        figure(clock, "dateTimeAsIso", PanelQuery(q.EVENT_TIME), style=StatStyle(), span=QUARTER),
        figure(late, "s", PanelQuery(q.TALK_LATE), style=StatStyle(decimals=0, colour=palette.DROP), span=QUARTER),
    )


def _headlines() -> tuple[Panel, ...]:
    inside = PanelText(
        "In the rooms",
        "Listeners in the chosen rooms now: concurrent, not distinct, not counted joins.",
        "a climb before the start, a ragged top while it melts, nothing at all when the first room is closed.",
    )
    outside = PanelText(
        "Waiting outside",
        "People who want in and are not: before their join, refused, or dropped.",
        "almost nobody in *control*; in *launch* hundreds of thousands (at scale 1) until the talk begins.",
    )
    waited = PanelText(
        "Waited 20 minutes",
        "People for whom twenty minutes have passed since their first attempt, who have not left, before the talk "
        "began.",
        "the figure reported of the night: more than 500,000 at scale 1. It grows only until the talk begins.",
    )
    peak = PanelText(
        "Peak",
        "The most listeners each room has held at the end of a window.",
        "the first room's peak while it melts, the second room's during the talk: about a quarter of the first.",
    )
    when = PanelText(
        "Peak at",
        "When each room held its most listeners, in event time.",
        "minutes after the scheduled start for the first room, inside the talk for the second.",
    )
    ever = PanelText(
        "Different listeners",
        "Different people who have been in any room so far.",
        "more than were ever in at once, and fewer than joins were counted: three figures that press reports mix up.",
    )
    by_room = PanelText(
        "Different by room",
        "Different people who have been in each room so far.",
        "the second room's share of the first one's: who was still there to follow.",
    )
    joins = PanelText(
        "Joins counted",
        "Every join into the chosen rooms, also somebody's fifth one.",
        "many joins for each listener while people are dropped and come back; about one each in *control*.",
    )
    named = StatStyle(mode=BigValueTextMode.VALUE_AND_NAME)
    return (
        figure(inside, "short", PanelQuery(q.AUDIENCE_NOW), style=StatStyle(colour=palette.AUDIENCE), span=EIGHTH),
        figure(outside, "short", PanelQuery(q.WAITING), style=StatStyle(colour=palette.WAITING), span=EIGHTH),
        figure(waited, "short", PanelQuery(q.WAITED), style=StatStyle(colour=palette.WAITING), span=EIGHTH),
        figure(peak, "short", PanelQuery(q.AUDIENCE_PEAK, "{{space}}"), style=named, span=EIGHTH),
        figure(when, "dateTimeAsIso", PanelQuery(q.AUDIENCE_PEAK_TIME, "{{space}}"), style=named, span=EIGHTH),
        figure(ever, "short", PanelQuery(q.LISTENERS_EVER), style=StatStyle(colour=palette.AUDIENCE), span=EIGHTH),
        figure(by_room, "short", PanelQuery(q.LISTENERS_BY_ROOM, "{{space}}"), style=named, span=EIGHTH),
        figure(joins, "short", PanelQuery(q.TUNE_INS), style=StatStyle(colour=palette.JOIN), span=EIGHTH),
    )


def _audience() -> Panel:
    text = PanelText(
        "Live audience",
        "Listeners in each room, by the engine (solid) and by the truth (dashed, grey). Event time at the engine's "
        "watermark.",
        "**open**: a climb that steepens. **Scheduled start**: the steepest part. **Melting**: a saw instead of a "
        "climb, as the dropped come back. **First room closed**: straight down to zero. **Second room**: from zero "
        "again. **Talk**: a plateau. Solid and dashed lie on each other, or the engine is wrong.",
    )
    return graph(
        text,
        "short",
        PanelQuery(q.AUDIENCE, "{{space}}"),
        PanelQuery(q.AUDIENCE_TRUTH, "{{space}} (truth)"),
        style=GraphStyle(
            colours={"first": palette.FIRST, "second": palette.SECOND, ".* [(]truth[)]": palette.TRUTH},
            dashed=".* [(]truth[)]",
        ),
    )


def _waiting() -> Panel:
    text = PanelText(
        "People waiting",
        "People who want in and are not, over all rooms, by the engine (solid) and by the truth (dashed, grey).",
        "**melting**: it mirrors the audience, every drop ends here. **First room closed**: everybody at once. "
        "**Second room**: it empties as people are let in or give up. In *control* it stays near zero.",
    )
    return graph(
        text,
        "short",
        PanelQuery(q.WAITING, "waiting"),
        PanelQuery(q.WAITING_TRUTH, "truth"),
        style=GraphStyle(colours={"waiting": palette.WAITING, "truth": palette.TRUTH}, dashed="truth"),
    )


def _doors() -> Panel:
    text = PanelText(
        "Joins and drops a minute",
        "Joins, drops and leaves in the last minute of event time, the chosen rooms together; the same at every "
        "replay speed.",
        "**melting**: drops as high as joins, the room turns over instead of filling. **First room closed**: one "
        "spike of drops, the whole room. **Talk**: drops near zero. **End**: leaves.",
    )
    return graph(
        text,
        "short",
        PanelQuery(q.presence_minute("join", "drop", "leave"), "{{kind}}"),
        style=GraphStyle(colours={"join": palette.JOIN, "drop": palette.DROP, "leave": palette.LEAVE}),
    )


def _knocking() -> Panel:
    text = PanelText(
        "Attempts a minute",
        "Attempts, first attempts (arrivals), failed ones, re-joins within a minute of a drop, and people giving up, "
        "in the last minute of event time.",
        "**melting**: many attempts for each arrival, the retries are the load. **First room closed**: attempts stop "
        "for a moment. **Talk**: attempts come down to arrivals.",
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
        "Of those who were in the room within the last minute of event time, the share that was dropped; the line is "
        "where the alert LaunchMelting begins.",
        "**open**: zero. **Melting**: far above the line. **First room closed**: everybody, 100 %. **Talk**: zero "
        "again. In *control* never near the line.",
    )
    return graph(
        text,
        "percentunit",
        PanelQuery(q.DROP_RATIO, "{{space}}"),
        style=GraphStyle(colours=palette.ROOMS, top=1, limit=(limits.DROP_RATIO, palette.BAD)),
    )


def _join_success() -> Panel:
    text = PanelText(
        "Join success",
        "Of the attempts answered in the last minute of event time, the share that was let in; the line is where the "
        "alert JoinSuccessLow begins.",
        "**open**: 100 %. **Melting**: it falls as soon as the room is over its limit, before the drops begin. "
        "**Second room**: back to 100 %.",
    )
    return graph(
        text,
        "percentunit",
        PanelQuery(q.JOIN_SUCCESS, "{{space}}"),
        style=GraphStyle(colours=palette.ROOMS, top=1, limit=(limits.JOIN_SUCCESS, palette.BAD)),
    )


def _tweets() -> Panel:
    text = PanelText(
        "Tweets a minute",
        "Tweets of every kind in the last minute of event time, by subject.",
        "**scheduled start**: anticipation of the launch. **Melting**: the wave of mockery, higher than anything "
        "before. **Next day**: the launch is hardly spoken of, then the announcement rises.",
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
        "Tweets about the launch in the last minute of event time, by stance: an estimate by a word list, not a count.",
        "**scheduled start**: neutral and supportive. **Melting**: mockery takes over within minutes, blame follows. "
        "**Talk**: mixed.",
    )
    return graph(
        text,
        "short",
        PanelQuery(q.stances_minute(LAUNCH), "{{stance}}"),
        style=GraphStyle(colours=palette.STANCES, stacked=True),
    )
