"""Functions that make panels from queries.

Every panel has a title, a description, a unit, the boards' data source and a text for missing data.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import TypeAlias, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import prometheus as queries

NOTHING = "no replay running"
"""The text of a panel without data."""
DATA_SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
Panel: TypeAlias = timeseries.Panel | stat.Panel | bargauge.Panel | table.Panel
P = TypeVar("P", timeseries.Panel, stat.Panel, bargauge.Panel, table.Panel)
T = TypeVar("T")
Steps: TypeAlias = tuple[tuple[float | None, str], ...]
"""Threshold steps: the value from which a colour applies, and the colour; the first value is None."""

WHOLE, HALF, THIRD, QUARTER, SIXTH, EIGHTH = 24, 12, 8, 6, 4, 3
GRAPH, STAT = 9, 4


@dataclass(frozen=True)
class PanelText:
    """The texts of a panel.

    Args:
        title: Short, a noun.
        shows: What is shown, its unit and time range.
        look_for: What to look for, by phase of the night.
    """

    title: str
    shows: str
    look_for: str

    @property
    def description(self) -> str:
        """The description as Grafana shows it (Markdown)."""
        return f"{self.shows}\n\n**Look for:** {self.look_for}"


@dataclass(frozen=True)
class PanelQuery:
    """One query of a panel; ``legend`` may have labels in Grafana's syntax: ``{{space}}``."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class GraphStyle:
    """The style of a graph.

    Args:
        colours: Colours by a regular expression over the names of series.
        dashed: Regular expression for the series drawn dashed.
        stacked: Whether areas are stacked.
        top: Upper end of the axis.
        below: Whether the axis may extend below zero.
        limit: A dashed line at a value, in a colour.
    """

    colours: Mapping[str, str] = field(default_factory=dict)
    dashed: str = ""
    stacked: bool = False
    top: float | None = None
    below: bool = False
    limit: tuple[float, str] | None = None


@dataclass(frozen=True)
class StatStyle:
    """The style of a figure.

    Args:
        colour: The fixed colour of its meaning.
        steps: Alternatively, colours by value.
        mode: What to show: the value, the series' name, or both.
        decimals: Digits after the decimal point.
    """

    colour: str = ""
    steps: Steps = ()
    mode: options.BigValueTextMode = options.BigValueTextMode.VALUE
    decimals: int | None = None


def graph(text: PanelText, unit: str, *queries: PanelQuery, style: GraphStyle, span: int = HALF) -> timeseries.Panel:
    """Return a time series panel, ``span`` 24ths of the board wide."""
    legend = common.VizLegendOptions().display_mode(options.LegendDisplayMode.LIST).show_legend(show_legend=True)
    tooltip = common.VizTooltipOptions().mode(options.TooltipDisplayMode.MULTI).sort(options.SortOrder.DESCENDING)
    panel = timeseries.Panel().span(span).height(GRAPH).tooltip(tooltip)
    panel = panel.legend(legend.placement(options.LegendPlacement.BOTTOM))
    panel = panel.draw_style(options.GraphDrawStyle.LINE).line_width(2).show_points(options.VisibilityMode.NEVER)
    panel = panel.fill_opacity(40 if style.stacked else 0)
    if style.stacked:
        panel = panel.stacking(common.StackingConfig().mode(options.StackingMode.NORMAL).group("A"))
    if not style.below:
        panel = panel.min(0)
    if style.top is not None:
        panel = panel.max(style.top)
    if style.limit is not None:
        panel = _limit(panel, *style.limit)
    for letter, query in _lettered(queries):
        panel = panel.with_target(_target(letter, query).range())
    return _coloured(_common(panel, text, unit), style.colours, style.dashed)


def figure(text: PanelText, unit: str, *queries: PanelQuery, style: StatStyle, span: int = SIXTH) -> stat.Panel:
    """Return a panel with the current figure, or one per series."""
    panel = stat.Panel().span(span).height(STAT).graph_mode(options.BigValueGraphMode.NONE)
    panel = panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False))
    panel = panel.color_mode(options.BigValueColorMode.VALUE).text_mode(style.mode)
    if style.decimals is not None:
        panel = panel.decimals(style.decimals)
    if style.colour:
        panel = panel.color_scheme(_fixed(style.colour))
    if style.steps:
        by_value = dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS)
        panel = panel.thresholds(_steps(style.steps)).color_scheme(by_value)
    for letter, query in _lettered(queries):
        panel = panel.with_target(_target(letter, query).instant())
    return _common(panel, text, unit)


def bars(
    text: PanelText, unit: str, *queries: PanelQuery, colours: Mapping[str, str] | None = None, span: int = THIRD
) -> bargauge.Panel:
    """Return horizontal bars of the current values, one per series."""
    panel = bargauge.Panel().span(span).height(GRAPH).orientation(options.VizOrientation.HORIZONTAL).min(0)
    panel = panel.display_mode(options.BarGaugeDisplayMode.BASIC)
    panel = panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False))
    panel = panel.color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
    for letter, query in _lettered(queries):
        panel = panel.with_target(_target(letter, query).instant())
    return _coloured(_common(panel, text, unit), colours or {})


def rows(text: PanelText, by: str, *columns: tuple[str, str, PanelQuery], span: int = WHOLE) -> table.Panel:
    """Return a table: one row per value of the label ``by``, one column per title, unit and query."""
    panel = table.Panel().span(span).height(GRAPH)
    names = {by: by}
    for letter, (title, unit, query) in _lettered(columns):
        names[f"Value #{letter}"] = title
        panel = panel.with_target(_target(letter, query).instant().format(queries.PromQueryFormat.TABLE))
        panel = panel.override_by_name(title, [model.DynamicConfigValue("unit", unit)])
    order = {name: place for place, name in enumerate(names)}
    for step, settings in (
        ("joinByField", {"byField": by, "mode": "outer"}),
        ("filterFieldsByName", {"include": {"names": list(names)}}),
        ("organize", {"renameByName": names, "indexByName": order}),
    ):
        panel = panel.with_transformation(model.DataTransformerConfig(id_val=step, options=settings))
    return _common(panel, text, "short")


def _common(panel: P, text: PanelText, unit: str) -> P:
    """Set what every panel has."""
    return panel.title(text.title).description(text.description).unit(unit).no_value(NOTHING).datasource(DATA_SOURCE)


def _lettered(items: Iterable[T]) -> Iterator[tuple[str, T]]:
    return zip(ascii_uppercase, items, strict=False)


def _target(letter: str, query: PanelQuery) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).ref_id(letter).datasource(DATA_SOURCE)
    return target.editor_mode(queries.QueryEditorMode.CODE).legend_format(query.legend or "__auto")


def _coloured(panel: P, colours: Mapping[str, str], dashed: str = "") -> P:
    for name, colour in colours.items():
        fixed = model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})
        panel = panel.override_by_regexp(f"/^{name}$/", [fixed])
    if dashed:
        line = model.DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [10, 8]})
        panel = panel.override_by_regexp(f"/^{dashed}$/", [line])
    return panel


def _limit(panel: timeseries.Panel, value: float, colour: str) -> timeseries.Panel:
    """Draw a line at a threshold."""
    dashes = common.GraphThresholdsStyleConfig().mode(options.GraphThresholdsStyleMode.DASHED)
    return panel.thresholds(_steps(((None, "transparent"), (value, colour)))).thresholds_style(dashes)


def _steps(steps: Steps) -> dashboard.ThresholdsConfig:
    thresholds = [model.Threshold(value=value, color=colour) for value, colour in steps]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(thresholds)


def _fixed(colour: str) -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color(colour)
