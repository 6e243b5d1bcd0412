"""*Engines*: every stream processor compared with the truth: correctness, progress, speed."""

from grafana_foundation_sdk.builders import dashboard

from dashboards import palette, variables
from dashboards import queries as q
from dashboards import thresholds as limits
from dashboards.panels import NO_TRUTH, WHOLE, GraphStyle, Panel, PanelQuery, PanelText, graph, rows

UID = "joinstorm-engines"


def build() -> dashboard.Dashboard:
    """Return the board."""
    made = variables.board(
        UID,
        "Engines",
        "Every engine on this night, compared with the truth: correctness first, then progress and speed. A fast wrong "
        "answer is still wrong.",
    )
    made = made.with_variable(variables.engines())
    made = made.with_row(dashboard.Row("Standings"))
    made = made.with_panel(_standings())
    made = made.with_row(dashboard.Row("Correctness"))
    for panel in (_audience_error(), _error_max(), _error_sum()):
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("Speed"))
    for panel in (_progress(), _counted(), _lag(), _lag_wall()):
        made = made.with_panel(panel)
    return made


def _standings() -> Panel:
    text = PanelText(
        "Standings",
        "One row per engine: share of the events counted, whether it is done, sum of errors so far, events, "
        "duplicates, dead letters, and lag behind the replay in event time.",
        "zero in *errors* in every row, from the first minute to the last. `truth` itself processes no records.",
    )
    return rows(
        text,
        "engine",
        ("counted", "percentunit", PanelQuery(q.PROGRESS)),
        ("done", "bool_yes_no", PanelQuery(q.ENGINE_ENDED)),
        ("errors", "short", PanelQuery(q.WRONG_COUNTS)),
        ("events", "short", PanelQuery(q.COUNTED)),
        ("duplicates", "short", PanelQuery(q.DUPLICATES)),
        ("dead letters", "short", PanelQuery(q.DEAD_LETTERS)),
        ("lag", "s", PanelQuery(q.LAG)),
        ("watermark", "dateTimeAsIso", PanelQuery(q.WATERMARK)),
        span=WHOLE,
    )


def _audience_error() -> Panel:
    text = PanelText(
        "Error of the live audience",
        "Live audience by the engine minus that by the truth, both as of the engine's watermark, by room.",
        "a flat zero. An engine that counts an event twice, or misses one, usually leaves zero in **melting** or at a "
        "restart, and never returns: running values keep every error.",
        empty=NO_TRUTH,
    )
    return graph(text, "short", PanelQuery(q.AUDIENCE_ERROR, "{{engine}} {{space}}"), style=GraphStyle(below=True))


def _error_max() -> Panel:
    text = PanelText(
        "Largest error",
        "The largest difference from the truth in any window so far, for each kind of value.",
        "zero; any other value is how wrong one reading of a board can have been.",
        empty=NO_TRUTH,
    )
    return graph(text, "short", PanelQuery(q.ERROR_MAX, "{{engine}} {{value}}"), style=GraphStyle())


def _error_sum() -> Panel:
    text = PanelText(
        "Sum of errors",
        "Sum of the absolute differences from the truth so far, for each kind of value.",
        "zero. A line that climbs with the night is a systematic error; a single step is one incident.",
        empty=NO_TRUTH,
    )
    return graph(text, "short", PanelQuery(q.ERROR_SUM, "{{engine}} {{value}}"), style=GraphStyle(), span=WHOLE)


def _progress() -> Panel:
    text = PanelText(
        "Progress",
        "Share of the tape's distinct events each engine has counted.",
        "lines that reach 100 % at the replay's pace: flat in quiet phases, steep in **melting**.",
    )
    return graph(text, "percentunit", PanelQuery(q.PROGRESS, "{{engine}}"), style=GraphStyle(top=1))


def _counted() -> Panel:
    text = PanelText(
        "Events counted per second",
        "Distinct events each engine counts, per second of wall clock time.",
        "all engines at the replay's rate while they keep up; at full speed, each engine at its own maximum.",
    )
    return graph(text, "cps", PanelQuery(q.COUNTED_PER_SECOND, "{{engine}}"), style=GraphStyle())


def _lag() -> Panel:
    text = PanelText(
        "Lag in event time",
        "How far each engine's watermark is behind the replay, in seconds of event time.",
        "a few seconds times the speed of the replay: an engine that reports once per second is 60 event seconds "
        "behind at speed 60. **Melting**, the busiest phase: no growth.",
    )
    return graph(text, "s", PanelQuery(q.LAG, "{{engine}}"), style=GraphStyle())


def _lag_wall() -> Panel:
    text = PanelText(
        "Lag in wall-clock seconds",
        "The same divided by the speed of the replay: the delay a viewer sees. The line is the threshold of the alert "
        "ProcessorBehind.",
        "a second or two.",
    )
    return graph(
        text,
        "s",
        PanelQuery(q.LAG_WALL, "{{engine}}"),
        style=GraphStyle(limit=(limits.LAG_SECONDS, palette.BAD), soft_top=1.2 * limits.LAG_SECONDS),
    )
