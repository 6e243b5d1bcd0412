"""Shared by all boards: variables, links, phase annotations, time range."""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from dashboards import nightalerts, palette
from dashboards import queries as q
from dashboards.panels import DATA_SOURCE
from streams.metrics import definitions as m
from streams.metrics.metric import at_event_time

TAG = "joinstorm"
DEFAULT_ENGINE = "faust"
EVENT_TIME, WALL_CLOCK = "event time", "wall clock"
"""Tags: which clock a board shows."""
EVENING = ("2023-05-24T21:20:00.000Z", "2023-05-25T00:30:00.000Z")
"""The time range of *The launch*: the whole evening."""
DAY_AFTER = ("2023-05-25T17:00:00.000Z", "2023-05-26T07:00:00.000Z")
"""The time range of *The announcement*: the thread and the twelve hours after it."""
_NOW = ("now-15m", "now")


def board(uid: str, title: str, description: str, stretch: tuple[str, str] | None = None) -> dashboard.Dashboard:
    """Return an empty board with the shared parts.

    Args:
        uid: Its uid.
        title: Its title.
        description: What it shows.
        stretch: The time range of a board in event time; None for a board on the wall clock.
    """
    clock, other = (WALL_CLOCK, EVENT_TIME) if stretch is None else (EVENT_TIME, WALL_CLOCK)
    made = dashboard.Dashboard(title).uid(uid).description(description).tags([TAG, clock]).timezone("utc")
    made = made.tooltip(model.DashboardCursorSync.CROSSHAIR).time(*(stretch or _NOW)).refresh("5s").editable()
    made = made.with_variable(data_source())
    if stretch is None:
        made = made.annotation(phases(q.PHASE_NOW)).annotation(alerts(q.ALERTS))
    else:
        made = (
            made.with_variable(run())
            .annotation(phases(q.PHASE_THEN))
            .annotation(alerts(nightalerts.firing(nightalerts.of_the_night())))
        )
        made = made.annotation(published_phases())
    return made.link(_boards(clock, keep_time=True)).link(_boards(other, keep_time=False))


def _boards(clock: str, *, keep_time: bool) -> dashboard.DashboardLink:
    """Return the links to the boards of a clock; those of the other clock open with their own time range."""
    link = dashboard.DashboardLink(f"In {clock}" if clock == EVENT_TIME else f"On the {clock}")
    link = link.type(model.DashboardLinkType.DASHBOARDS).tags([TAG, clock])
    return link.include_vars(include_vars=True).keep_time(keep_time=keep_time)


def data_source() -> dashboard.DatasourceVariable:
    """Return the variable for the data source of every panel."""
    return dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")


def run() -> dashboard.QueryVariable:
    """Return the variable for the run; initially the newest, since ids of runs begin with their time."""
    selector = q.select(at_event_time(m.RUN_INFO))
    variable = _values("run", "Run", selector, "The run that is shown: the newest first.")
    return variable.sort(model.VariableSort.NATURAL_DESC)


def engine_of_run() -> dashboard.QueryVariable:
    """Return the variable for one engine of the run."""
    selector = q.at_night(m.WAITING)
    variable = _values("engine", "Engine", selector, "The stream processor whose numbers are shown.")
    return variable.current(model.VariableOption(selected=True, text=DEFAULT_ENGINE, value=DEFAULT_ENGINE))


def engines() -> dashboard.QueryVariable:
    """Return the variable for several engines; initially all of them."""
    selector = q.select(m.WATERMARK)
    variable = _values("engine", "Engine", selector, "The stream processors whose numbers are shown.")
    return variable.multi(multi=True).include_all(include_all=True).current(_all_values())


def space() -> dashboard.QueryVariable:
    """Return the variable for the rooms; initially all of them."""
    variable = _values("space", "Room", q.at_night(m.AUDIENCE), "The audio rooms of the night.")
    return variable.multi(multi=True).include_all(include_all=True).current(_all_values())


def _values(name: str, label: str, selector: str, description: str) -> dashboard.QueryVariable:
    query: dict[str, object] = {"query": f"label_values({selector}, {name})", "refId": f"values-{name}"}
    variable = dashboard.QueryVariable(name).label(label).description(description).datasource(DATA_SOURCE).query(query)
    return variable.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(model.VariableSort.ALPHABETICAL_ASC)


def _all_values() -> model.VariableOption:
    return model.VariableOption(selected=True, text=["All"], value=["$__all"])


def phases(expr: str) -> dashboard.AnnotationQuery:
    """Return the annotations of the night's phases from their metric, which fit any replay."""
    return (
        dashboard.AnnotationQuery()
        .name("Phases")
        .datasource(DATA_SOURCE)
        .enable(enable=True)
        .icon_color("rgba(128, 128, 128, 0.6)")
        .expr(expr)
    )


def alerts(expr: str) -> dashboard.AnnotationQuery:
    """Return the annotations of the firing alerts."""
    return (
        dashboard.AnnotationQuery()
        .name("Alerts")
        .datasource(DATA_SOURCE)
        .enable(enable=True)
        .icon_color(palette.BAD)
        .expr(expr)
    )


def published_phases() -> dashboard.AnnotationQuery:
    """Return the annotations written by ``joinstorm dashboards publish``; initially off, as they are in 2023."""
    target = dashboard.AnnotationTarget().limit(100).match_any(match_any=False).tags([TAG, "phase"]).type("tags")
    return (
        dashboard.AnnotationQuery()
        .name("Phases (published)")
        .datasource(model.DataSourceRef(type_val="grafana", uid="-- Grafana --"))
        .enable(enable=False)
        .icon_color("rgba(128, 128, 128, 0.6)")
        .target(target)
    )
