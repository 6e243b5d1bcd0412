"""*Engines*: each stream processor against the truth, side by side: is it right, is it done, is it quick."""

from grafana_foundation_sdk.builders import dashboard

from dashboards import palette, variables
from dashboards import queries as q
from dashboards import thresholds as limits
from dashboards.panels import WHOLE, GraphStyle, Panel, PanelQuery, PanelText, graph, rows

UID = "joinstorm-engines"


def build() -> dashboard.Dashboard:
    """Return the board."""
    made = variables.board(
        UID,
        "Engines",
        "Every engine that works on this night against the truth: error first, then how far and how fast. An engine "
        "that is quick and wrong is wrong.",
    )
    made = made.with_variable(variables.engine(several=True))
    made = made.with_row(dashboard.Row("Standings"))
    made = made.with_panel(_standings())
    made = made.with_row(dashboard.Row("Is it right"))
    for panel in (_audience_error(), _error_max(), _error_sum()):
        made = made.with_panel(panel)
    made = made.with_row(dashboard.Row("Is it quick"))
    for panel in (_progress(), _counted(), _lag(), _lag_wall()):
        made = made.with_panel(panel)
    return made


def _standings() -> Panel:
    text = PanelText(
        "Standings",
        "One row per engine: share of the events counted, done or not, counts too many or too few so far, events, "
        "duplicates met, records put aside, and how far behind the replay in event time.",
        "zero in *wrong counts* in every row, from the first minute to the last. `truth` counts nothing itself.",
    )
    return rows(
        text,
        "engine",
        ("counted", "percentunit", PanelQuery(q.PROGRESS)),
        ("done", "bool_yes_no", PanelQuery(q.ENGINE_ENDED)),
        ("wrong counts", "short", PanelQuery(q.WRONG_COUNTS)),
        ("events", "short", PanelQuery(q.COUNTED)),
        ("duplicates", "short", PanelQuery(q.DUPLICATES)),
        ("put aside", "short", PanelQuery(q.DEAD_LETTERS)),
        ("behind", "s", PanelQuery(q.LAG)),
        ("watermark", "dateTimeAsIso", PanelQuery(q.WATERMARK)),
        span=WHOLE,
    )


def _audience_error() -> Panel:
    text = PanelText(
        "Error of the live audience",
        "Live audience by the engine less that by the truth, both as of the engine's watermark, by room.",
        "a flat zero. **Melting** and restarts are where an engine that counts an event twice, or forgets one, leaves "
        "it, and it never comes back: running values keep every error.",
    )
    return graph(text, "short", PanelQuery(q.AUDIENCE_ERROR, "{{engine}} {{space}}"), style=GraphStyle(below=True))


def _error_max() -> Panel:
    text = PanelText(
        "Greatest error",
        "The greatest difference from the truth in any window so far, for each kind of value.",
        "zero; any other figure is how wrong a single reading of a board has been.",
    )
    return graph(text, "short", PanelQuery(q.ERROR_MAX, "{{engine}} {{value}}"), style=GraphStyle())


def _error_sum() -> Panel:
    text = PanelText(
        "Counts too many or too few",
        "The sum of all differences from the truth so far, for each kind of value.",
        "zero. A line that climbs with the night is an engine that is wrong in kind; a single step is one incident.",
    )
    return graph(text, "short", PanelQuery(q.ERROR_SUM, "{{engine}} {{value}}"), style=GraphStyle(), span=WHOLE)


def _progress() -> Panel:
    text = PanelText(
        "Progress",
        "Share of the tape's distinct events each engine has counted.",
        "lines that reach 100 %, at the replay's pace: the quiet night is flat, the melting is steep.",
    )
    return graph(text, "percentunit", PanelQuery(q.PROGRESS, "{{engine}}"), style=GraphStyle(top=1))


def _counted() -> Panel:
    text = PanelText(
        "Events counted a second",
        "Distinct events each engine counts, per second of wall clock time.",
        "all engines at the replay's rate while they keep up; at full speed, what each of them can do.",
    )
    return graph(text, "cps", PanelQuery(q.COUNTED_PER_SECOND, "{{engine}}"), style=GraphStyle())


def _lag() -> Panel:
    text = PanelText(
        "Behind the replay, in event time",
        "How far each engine's watermark is behind what has been sent, in seconds of the night.",
        "a few seconds times the speed of the replay: an engine that reports once a second is 60 event seconds behind "
        "at speed 60. **Melting**: the busiest stretch, it must not grow.",
    )
    return graph(text, "s", PanelQuery(q.LAG, "{{engine}}"), style=GraphStyle())


def _lag_wall() -> Panel:
    text = PanelText(
        "Behind the replay, in seconds to wait",
        "The same divided by the speed of the replay: how long a viewer waits for what has just happened.",
        "a second or two. The alert ProcessorBehind begins at the line.",
    )
    return graph(
        text, "s", PanelQuery(q.LAG_WALL, "{{engine}}"), style=GraphStyle(limit=(limits.LAG_SECONDS, palette.BAD))
    )
