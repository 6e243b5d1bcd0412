"""*The pipeline*: whether the replay is on schedule, the processor keeps up, and nothing is lost."""

from grafana_foundation_sdk.builders import dashboard

from dashboards import palette, variables
from dashboards import queries as q
from dashboards import thresholds as limits
from dashboards.boards import broker, pages, processor
from dashboards.panels import (
    EIGHTH,
    SIXTH,
    STAT,
    THIRD,
    WHOLE,
    Field,
    GraphStyle,
    Panel,
    PanelQuery,
    PanelText,
    StatStyle,
    figure,
    graph,
    sentence,
)

UID = "joinstorm-pipeline"


def build() -> dashboard.Dashboard:
    """Return the board."""
    made = variables.board(
        UID,
        "The pipeline",
        "From the schedule to the screen: whether the replay is on time, the processor keeps up, and nothing is lost.",
    )
    made = made.with_variable(variables.engines())
    made = made.with_row(dashboard.Row("The replay"))
    for panel in (*_replay(), _speed(), _lateness(), _sent()):
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("The processor"))
    for panel in processor.keeping_up():
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("Losses and repetitions"))
    for panel in processor.losses():
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("Chunks, checkpoints and restarts"))
    for panel in processor.checkpoints():
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("The broker"))
    for panel in broker.panels():
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("Pages"))
    for panel in pages.panels():
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("The exporter"))
    for panel in (_read(), _rejected(), _scrape(), _left_out()):
        made = made.with_panel(panel)
    return made


def _replay() -> tuple[Panel, ...]:
    steps = ((None, palette.BAD), (limits.ON_TIME_RATIO, palette.GOOD))
    state = PanelText(
        "State", "The state of the replay.", "*playing*, then *ended*; the log has the reason for *failed*."
    )
    clock = PanelText(
        "Event time", "The moment of the night up to which everything has been sent (UTC).", "a clock that moves."
    )
    night = PanelText(
        "Night so far",
        "Share of the night the replay has played, by event time.",
        "a steady climb, with jumps where the replay skips quiet phases.",
    )
    on_time = PanelText(
        "On time",
        "Share of the paced events sent within 100 ms of their due time.",
        "99 % or more; below that, the verdict remarks that the replay was not on time.",
    )
    last_report = PanelText(
        "Last report",
        "Time since the replay last reported its status (wall clock).",
        "a second or two while it plays. Minutes mean that it has ended or crashed.",
    )
    ended = PanelText("Run ended", "Whether the replay and every engine have ended.", "*yes* at the very end.")
    phase = PanelText(
        "Phase",
        "The phase of the night the replay is in.",
        "**melting**, the busiest phase: most failures happen there.",
    )
    not_sent = PanelText("Not sent", "Events the broker did not acknowledge.", "zero; otherwise the run is not exact.")
    bad = ((None, palette.GOOD), (1.0, palette.BAD))
    return (
        sentence(state, PanelQuery(q.REPLAY_STATE, rows=True), fields=[Field("state")], span=EIGHTH).height(STAT),
        sentence(
            phase,
            PanelQuery(q.PHASE_NOW, rows=True),
            fields=[Field("phase", texts=palette.PHASES)],
            span=EIGHTH,
        ).height(STAT),
        figure(clock, "dateTimeAsIso", PanelQuery(q.EVENT_TIME), style=StatStyle(), span=SIXTH),
        figure(night, "percentunit", PanelQuery(q.NIGHT_DONE), style=StatStyle(decimals=1), span=EIGHTH),
        figure(
            on_time, "percentunit", PanelQuery(q.REPLAY_ON_TIME), style=StatStyle(steps=steps, decimals=2), span=EIGHTH
        ),
        figure(last_report, "s", PanelQuery(q.REPLAY_SILENT), style=StatStyle(decimals=0), span=EIGHTH),
        figure(not_sent, "short", PanelQuery(q.NOT_SENT), style=StatStyle(steps=bad), span=2),
        figure(ended, "bool_yes_no", PanelQuery(q.RUN_ENDED), style=StatStyle(), span=EIGHTH),
    )


def _speed() -> Panel:
    text = PanelText(
        "Replay speed",
        "Event seconds per second, actual (solid) and requested (dashed; absent at full speed).",
        "both lines together in every phase. **Melting**: a producer that is too slow falls below the dashed line.",
    )
    return graph(
        text,
        "short",
        PanelQuery(q.REPLAY_SPEED, "speed"),
        PanelQuery(q.REPLAY_TARGET, "requested"),
        style=GraphStyle({"speed": palette.AUDIENCE, "requested": palette.REQUESTED}, dashed="requested"),
        span=THIRD,
    )


def _lateness() -> Panel:
    text = PanelText(
        "Replay lateness",
        "How long after their due time events are sent: the 99th percentile of the last second. The line is the limit "
        "for *on time*.",
        "values below the line; lateness that grows in **melting** means that this machine cannot send at this speed.",
    )
    return graph(
        text,
        "s",
        PanelQuery(q.REPLAY_LATENESS, "99th percentile"),
        style=GraphStyle(
            {"99th percentile": palette.AUDIENCE},
            limit=(limits.LATENESS_SECONDS, palette.BAD),
            soft_top=1.2 * limits.LATENESS_SECONDS,
        ),
        span=THIRD,
    )


def _sent() -> Panel:
    text = PanelText(
        "Events sent per second",
        "Events the broker acknowledged, per second of wall clock time.",
        "the shape of the night times the speed: the peak is **melting**, with all its retries.",
    )
    return graph(
        text, "cps", PanelQuery(q.SENT_PER_SECOND, "sent"), style=GraphStyle({"sent": palette.JOIN}), span=THIRD
    )


def _read() -> Panel:
    text = PanelText(
        "Result records read per second",
        "Records the exporter reads from the result topics, by topic, per second of wall clock time.",
        "a steady trickle; at the start, a burst while the exporter catches up.",
    )
    return graph(text, "rps", PanelQuery(q.READ_PER_SECOND, "{{topic}}"), style=GraphStyle(), span=THIRD)


def _rejected() -> Panel:
    text = PanelText(
        "Result records rejected",
        "Records on the result topics that break the contract so far, by topic and reason.",
        "no series at all; an engine that writes invalid results shows up here.",
        empty="nothing to report: no record was rejected",
    )
    return graph(text, "short", PanelQuery(q.REJECTED, "{{topic}} {{reason}}"), style=GraphStyle(), span=THIRD)


def _scrape() -> Panel:
    text = PanelText(
        "Cost of a scrape",
        "Time the exporter takes to compute its answer.",
        "under 50 ms at full size, in every phase.",
    )
    return graph(text, "s", PanelQuery(q.SCRAPE, "scrape"), style=GraphStyle({"scrape": palette.AUDIENCE}), span=THIRD)


def _left_out() -> Panel:
    text = PanelText(
        "Rooms left out",
        "Rooms of the night that have no series of their own: those beyond the most visited ones (`--rooms`).",
        "zero, unless the night has hundreds of rooms; totals over all rooms include every one of them.",
    )
    return figure(text, "none", PanelQuery(q.ROOMS_LEFT_OUT), style=StatStyle(decimals=0), span=WHOLE)
