"""Shared by all boards: variables, links, phase annotations, time range."""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from dashboards import palette
from dashboards import queries as q
from dashboards.panels import DATA_SOURCE
from streams.metrics import definitions as m

TAG = "joinstorm"
DEFAULT_ENGINE = "faust"
EVENING = (1684962000000, 1685086200000)
"""24 May 2023, 21:00 UTC, to 26 May 2023, 07:30 UTC: the time range of ``joinstorm backfill``."""


def board(uid: str, title: str, description: str) -> dashboard.Dashboard:
    """Return an empty board with the shared parts."""
    made = dashboard.Dashboard(title).uid(uid).description(description).tags([TAG]).timezone("utc")
    made = made.tooltip(model.DashboardCursorSync.CROSSHAIR).time("now-15m", "now").refresh("5s").editable()
    made = made.with_variable(data_source()).annotation(phases()).annotation(alerts()).annotation(published_phases())
    boards = dashboard.DashboardLink("Boards").type(model.DashboardLinkType.DASHBOARDS).tags([TAG])
    return made.link(boards.include_vars(include_vars=True).keep_time(keep_time=True)).link(evening(uid))


def data_source() -> dashboard.DatasourceVariable:
    """Return the variable for the data source of every panel."""
    return dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")


def engine(*, several: bool = False) -> dashboard.QueryVariable:
    """Return the variable for the engine, or for several engines."""
    variable = _values("engine", "Engine", q.select(m.WATERMARK), "The stream processor whose numbers are shown.")
    if several:
        return variable.multi(multi=True).include_all(include_all=True).current(_all_values())
    return variable.current(model.VariableOption(selected=True, text=DEFAULT_ENGINE, value=DEFAULT_ENGINE))


def space() -> dashboard.QueryVariable:
    """Return the variable for the rooms; initially all of them."""
    variable = _values("space", "Room", q.select(m.AUDIENCE), "The audio rooms of the night.")
    return variable.multi(multi=True).include_all(include_all=True).current(_all_values())


def _values(name: str, label: str, selector: str, description: str) -> dashboard.QueryVariable:
    query: dict[str, object] = {"query": f"label_values({selector}, {name})", "refId": f"values-{name}"}
    variable = dashboard.QueryVariable(name).label(label).description(description).datasource(DATA_SOURCE).query(query)
    return variable.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(model.VariableSort.ALPHABETICAL_ASC)


def _all_values() -> model.VariableOption:
    return model.VariableOption(selected=True, text=["All"], value=["$__all"])


def phases() -> dashboard.AnnotationQuery:
    """Return the annotations of the night's phases from the metric, which fit any replay and the real dates."""
    return (
        dashboard.AnnotationQuery()
        .name("Phases")
        .datasource(DATA_SOURCE)
        .enable(enable=True)
        .icon_color("rgba(128, 128, 128, 0.6)")
        .expr(q.PHASE_NOW)
    )


def alerts() -> dashboard.AnnotationQuery:
    """Return the annotations of the firing alerts, where Prometheus has the rules."""
    return (
        dashboard.AnnotationQuery()
        .name("Alerts")
        .datasource(DATA_SOURCE)
        .enable(enable=True)
        .icon_color(palette.BAD)
        .expr(q.ALERTS)
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


def evening(uid: str) -> dashboard.DashboardLink:
    """Return the link to the same board at the real dates."""
    begin, end = EVENING
    url = f"/d/{uid}?from={begin}&to={end}"
    link = dashboard.DashboardLink("24-25 May 2023").type(model.DashboardLinkType.LINK).icon("time").url(url)
    link = link.include_vars(include_vars=True)
    return link.tooltip("The night at its real dates, after `joinstorm backfill`.")
