"""*The pipeline*: is the replay on schedule, does the processor keep up, is anything lost."""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.common import BigValueTextMode

from dashboards import looks, variables
from dashboards import queries as q
from dashboards import thresholds as limits
from dashboards.boards import broker, processor
from dashboards.panels import EIGHTH, THIRD, Face, Look, Panel, Query, Text, figure, graph

UID = "joinstorm-pipeline"


def build() -> dashboard.Dashboard:
    """Return the board."""
    made = variables.board(
        UID,
        "The pipeline",
        "From the schedule to the screen: is the replay on time, does the processor keep up, is anything lost on the "
        "way.",
    )
    made = made.with_variable(variables.engine(several=True))
    made = made.with_row(dashboard.Row("The replay"))
    for panel in (*_replay(), _speed(), _lateness(), _sent()):
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("The processor keeps up"))
    for panel in processor.keeping_up():
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("Nothing is lost"))
    for panel in processor.losing():
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("Chunks, checkpoints and restarts"))
    for panel in processor.checkpoints():
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("The broker"))
    for panel in broker.panels():
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("The exporter"))
    for panel in (_read(), _rejected(), _scrape()):
        made = made.with_panel(panel)
    return made


def _replay() -> tuple[Panel, ...]:
    named = Face(mode=BigValueTextMode.NAME)
    steps = ((None, looks.BAD), (limits.ON_TIME_RATIO, looks.GOOD))
    state = Text("State", "What the replay is doing.", "playing, then ended; *failed* has its reason in the log.")
    clock = Text(
        "Event time", "The moment of the night up to which everything has been sent (UTC).", "a clock that moves."
    )
    night = Text(
        "Night so far",
        "How much of the night lies behind the replay, by event time.",
        "it jumps over quiet hours where the replay sends them at full speed.",
    )
    on_time = Text(
        "On time",
        "Share of the paced events that left within 100 ms of their due time.",
        "99 % or more; below that the verdict says that the replay was not on schedule.",
    )
    silent = Text(
        "Last word",
        "How long ago the replay last said how it is doing (wall clock).",
        "a second or two while it plays. Minutes mean that it is over, or dead.",
    )
    ended = Text("Run over", "Whether the replay and every engine are through.", "*yes* at the very end.")
    phase = Text(
        "Phase", "The phase of the night the replay is in.", "melting is the busiest one: what fails, fails there."
    )
    not_sent = Text("Not sent", "Events the broker did not acknowledge.", "zero, or the run is not exact.")
    bad = ((None, looks.GOOD), (1.0, looks.BAD))
    return (
        figure(state, "none", Query(q.REPLAY_STATE, "{{state}}"), face=named, span=EIGHTH),
        figure(phase, "none", Query(q.PHASE_NOW, "{{phase}}"), face=named, span=EIGHTH),
        figure(clock, "dateTimeAsIso", Query(q.EVENT_TIME), face=Face(), span=EIGHTH),
        figure(night, "percentunit", Query(q.NIGHT_DONE), face=Face(decimals=1), span=EIGHTH),
        figure(on_time, "percentunit", Query(q.REPLAY_ON_TIME), face=Face(steps=steps, decimals=2), span=EIGHTH),
        figure(silent, "s", Query(q.REPLAY_SILENT), face=Face(decimals=0), span=EIGHTH),
        figure(not_sent, "short", Query(q.NOT_SENT), face=Face(steps=bad), span=EIGHTH),
        figure(ended, "bool_yes_no", Query(q.RUN_ENDED), face=Face(), span=EIGHTH),
    )


def _speed() -> Panel:
    text = Text(
        "Replay speed",
        "Event seconds per second, as it goes (solid) and as asked for (dashed; absent at full speed).",
        "on the dashed line in every phase. **Melting**: where a producer that is too slow falls below it.",
    )
    return graph(
        text,
        "short",
        Query(q.REPLAY_SPEED, "speed"),
        Query(q.REPLAY_TARGET, "asked for"),
        look=Look({"speed": looks.AUDIENCE, "asked for": looks.TRUTH}, dashed="asked for"),
        span=THIRD,
    )


def _lateness() -> Panel:
    text = Text(
        "Replay lateness",
        "How late events leave after their due time: the 99th percentile of the last second. The line is what counts "
        "as late.",
        "below the line; lateness that grows through **melting** means a speed this machine cannot send at.",
    )
    return graph(
        text,
        "s",
        Query(q.REPLAY_LATENESS, "99th percentile"),
        look=Look({"99th percentile": looks.AUDIENCE}, limit=(limits.LATENESS_SECONDS, looks.BAD)),
        span=THIRD,
    )


def _sent() -> Panel:
    text = Text(
        "Events sent a second",
        "Events the broker acknowledged, per second of wall clock time.",
        "the shape of the night times the speed: the peak is **melting**, retries and all.",
    )
    return graph(text, "cps", Query(q.SENT_PER_SECOND, "sent"), look=Look({"sent": looks.JOIN}), span=THIRD)


def _read() -> Panel:
    text = Text(
        "Result records read a second",
        "Records the exporter reads from the result topics, by topic, per second of wall clock time.",
        "a steady trickle; a burst at the start is the exporter catching up with what was there.",
    )
    return graph(text, "rps", Query(q.READ_PER_SECOND, "{{topic}}"), look=Look(), span=THIRD)


def _rejected() -> Panel:
    text = Text(
        "Result records rejected",
        "Records on the result topics that break the contract, so far, by topic and reason.",
        "nothing at all; an engine under test that writes garbage shows up here.",
    )
    return graph(text, "short", Query(q.REJECTED, "{{topic}} {{reason}}"), look=Look(), span=THIRD)


def _scrape() -> Panel:
    text = Text(
        "Cost of a scrape",
        "What the exporter took to compute its answer.",
        "under 50 ms at full size, in every phase.",
    )
    return graph(text, "s", Query(q.SCRAPE, "scrape"), look=Look({"scrape": looks.AUDIENCE}), span=THIRD)
