"""Functions that make panels from queries.

Every panel has a title, a description, a unit, the boards' data source, its own text for missing data, and colours for
every value: what is left out, Grafana colours green up to 80 and red from there.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from string import ascii_uppercase
from typing import TypeAlias, TypeVar

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import prometheus as queries

from dashboards import palette

NO_RUN = "no run"
"""The text of a panel that has data as soon as the time range holds a run; short, since a small panel must show it."""
NO_THREAD = "no thread yet"
NO_WORKER = "no worker of the engine faust is scraped"
NO_TRUTH = "no engine and truth to compare here"
DATA_SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
Panel: TypeAlias = timeseries.Panel | stat.Panel | bargauge.Panel | table.Panel | statetimeline.Panel
P = TypeVar("P", timeseries.Panel, stat.Panel, bargauge.Panel, table.Panel, statetimeline.Panel)
T = TypeVar("T")
Steps: TypeAlias = tuple[tuple[float | None, str], ...]
"""Threshold steps: the value from which a colour applies, and the colour; the first value is None."""

WHOLE, HALF, THIRD, QUARTER, SIXTH, EIGHTH = 24, 12, 8, 6, 4, 3
GRAPH, STAT = 9, 4
PLAIN = "text"
"""Grafana's name for the colour of text, which fits the dark and the light theme."""
TRUTH_SERIES = r"(truth( .*)?|.* [(]truth[)])"
"""Names of the series of the truth: grey and dashed on every graph."""
_LAST = "lastNotNull"
_SMALL, _LARGE = 12, 16
"""Sizes of names and values in a sentence, in pixels."""
_DATE_WIDTH = 180
"""Of a table's column, in pixels."""
_NO_STEPS: Steps = ((None, "transparent"),)
"""Thresholds that colour nothing; without any, Grafana takes its own."""


@dataclass(frozen=True)
class PanelText:
    """The texts of a panel.

    Args:
        title: Short, a noun.
        shows: What is shown, its unit and time range.
        look_for: What to look for, by phase of the night.
        empty: What it says while it has no data: the reason.
    """

    title: str
    shows: str
    look_for: str
    empty: str = NO_RUN

    @property
    def description(self) -> str:
        """The description as Grafana shows it (Markdown)."""
        return f"{self.shows}\n\n**Look for:** {self.look_for}"


@dataclass(frozen=True)
class PanelQuery:
    """One query of a panel.

    Args:
        expr: PromQL.
        legend: Names of the series; it may have labels in Grafana's syntax: ``{{space}}``.
        rows: Whether the answer comes as rows with a column per label, instead of as series.
    """

    expr: str
    legend: str = ""
    rows: bool = False


@dataclass(frozen=True)
class GraphStyle:
    """The style of a graph.

    Args:
        colours: Colours by a regular expression over the names of series.
        dashed: Regular expression for the series drawn dashed.
        thin: Regular expression for the series drawn with a thin line.
        stacked: Whether areas are stacked.
        top: Upper end of the axis; what is above it is cut off.
        soft_top: Value up to which the axis always reaches, so that a limit stays visible.
        logarithmic: Whether each step of the axis is ten times the one before; for ratios.
        below: Whether the axis may extend below zero.
        limit: A dashed line at a value, in a colour.
    """

    colours: Mapping[str, str] = field(default_factory=dict)
    dashed: str = ""
    thin: str = ""
    stacked: bool = False
    top: float | None = None
    soft_top: float | None = None
    logarithmic: bool = False
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
        sparkline: Whether the course of the value is drawn behind it.
    """

    colour: str = PLAIN
    steps: Steps = ()
    mode: options.BigValueTextMode = options.BigValueTextMode.VALUE
    decimals: int | None = None
    sparkline: bool = False


@dataclass(frozen=True)
class Field:
    """How one field of a panel is shown: its title, unit, and its colour, or colours by text.

    Args:
        name: Regular expression for the field's name.
        title: The title to show instead.
        unit: Its unit.
        colour: Its colour.
        texts: Shown text and colour by text.
    """

    name: str
    title: str = ""
    unit: str = ""
    colour: str = ""
    texts: Mapping[str, tuple[str, str]] = field(default_factory=dict)


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
    if style.logarithmic:
        scale = common.ScaleDistributionConfig().type(options.ScaleDistribution.LOG).log(10)
        panel = panel.scale_distribution(scale)
    elif not style.below:
        panel = panel.min(0)
    if style.top is not None:
        panel = panel.max(style.top)
    if style.soft_top is not None:
        panel = panel.axis_soft_max(style.soft_top)
    panel = _limit(panel, *style.limit) if style.limit is not None else panel.thresholds(_steps(_NO_STEPS))
    for letter, query in _lettered(queries):
        panel = panel.with_target(_target(letter, query))
    colours = {**style.colours, TRUTH_SERIES: palette.TRUTH}
    if style.thin:
        panel = panel.override_by_regexp(f"/^{style.thin}$/", [model.DynamicConfigValue("custom.lineWidth", 1)])
    return _coloured(_common(panel, text, unit), colours, "|".join(filter(None, (style.dashed, TRUTH_SERIES))))


def figure(
    text: PanelText, unit: str, *queries: PanelQuery, style: StatStyle, span: int = SIXTH, fields: Iterable[Field] = ()
) -> stat.Panel:
    """Return a panel with the last figure of the time range, or one per series."""
    graph_mode = options.BigValueGraphMode.AREA if style.sparkline else options.BigValueGraphMode.NONE
    panel = stat.Panel().span(span).height(STAT).graph_mode(graph_mode)
    panel = panel.reduce_options(common.ReduceDataOptions().calcs([_LAST]).values(values=False))
    panel = panel.color_mode(options.BigValueColorMode.VALUE).text_mode(style.mode)
    # Names above values: next to them, both shrink.
    panel = panel.wide_layout(wide_layout=style.mode != options.BigValueTextMode.VALUE_AND_NAME)
    if style.decimals is not None:
        panel = panel.decimals(style.decimals)
    panel = panel.color_scheme(_by_value() if style.steps else _fixed(style.colour))
    panel = panel.thresholds(_steps(style.steps or _NO_STEPS))
    for letter, query in _lettered(queries):
        panel = panel.with_target(_target(letter, query))
    panel = panel.mappings([_neutral(text.empty)])
    return _with_fields(_common(panel, text, unit), fields)


def sentence(text: PanelText, *queries: PanelQuery, fields: Iterable[Field], span: int = WHOLE) -> stat.Panel:
    """Return a panel that shows the last value of each of the fields, in their order, side by side."""
    shown = list(fields)
    mode = options.BigValueTextMode.VALUE_AND_NAME if len(shown) > 1 else options.BigValueTextMode.VALUE
    panel = figure(text, "none", *queries, style=StatStyle(mode=mode), span=span, fields=shown).height(3)
    names = "|".join(one.title or one.name for one in shown)  # Grafana looks for the titles it shows
    reduced = common.ReduceDataOptions().calcs([_LAST]).values(values=False).fields(f"/^({names})$/")
    panel = panel.reduce_options(reduced).orientation(options.VizOrientation.VERTICAL)
    if len(shown) > 1:
        panel = panel.text(common.VizTextDisplayOptions().title_size(_SMALL).value_size(_LARGE))
    return panel.with_transformation(_in_order())


def timeline(text: PanelText, query: PanelQuery, shown: Field, span: int = WHOLE) -> statetimeline.Panel:
    """Return a panel that shows the stretches of time in which a text, a label of the query's series, was so."""
    panel = _timeline(span)
    panel = panel.with_target(_target("A", query)).with_transformation(_in_order())
    panel = panel.with_transformation(_transformation("filterFieldsByName", include={"names": ["Time", shown.name]}))
    return _with_fields(_common(panel, text, "none"), [shown])


def states(text: PanelText, query: PanelQuery, on: tuple[str, str], span: int = WHOLE) -> statetimeline.Panel:
    """Return a panel with a row per series: the colour ``on`` where its value is 1, nothing where it is 0.

    The text ``on`` is shown by the tooltip alone: rows are low.
    """
    texts = {"0": {"index": 0, "text": " ", "color": "transparent"}, "1": {"index": 1, "text": on[0], "color": on[1]}}
    mappings = model.DynamicConfigValue("mappings", [{"type": "value", "options": texts}])
    panel = (
        _timeline(span)
        .show_value(options.VisibilityMode.NEVER)
        .with_target(_target("A", query))
        .override_by_regexp("/.*/", [mappings])
    )
    return _common(panel, text, "none")


def _timeline(span: int) -> statetimeline.Panel:
    panel = statetimeline.Panel().span(span).height(4).row_height(0.9).fill_opacity(90).line_width(0)
    panel = panel.show_value(options.VisibilityMode.AUTO).merge_values(merge_values=True)
    panel = panel.legend(common.VizLegendOptions().show_legend(show_legend=False))
    return panel.color_scheme(_fixed(PLAIN)).thresholds(_steps(_NO_STEPS))


def bars(
    text: PanelText,
    unit: str,
    *queries: PanelQuery,
    colours: Mapping[str, str] | None = None,
    colour: str = PLAIN,
    longest: int | None = None,
    span: int = THIRD,
) -> bargauge.Panel:
    """Return horizontal bars of the last values of the time range, one per series.

    Args:
        text: The texts.
        unit: The unit.
        queries: The queries.
        colours: Colours by a regular expression over the names of series.
        colour: The colour of the other series.
        longest: Show only so many of the longest bars, in descending order.
        span: Width in 24ths of the board.
    """
    panel = bargauge.Panel().span(span).height(GRAPH).orientation(options.VizOrientation.HORIZONTAL).min(0)
    panel = panel.display_mode(options.BarGaugeDisplayMode.BASIC)
    panel = panel.color_scheme(_fixed(colour)).thresholds(_steps(_NO_STEPS))
    reduced = common.ReduceDataOptions().calcs([_LAST])
    panel = panel.reduce_options(reduced.values(values=longest is not None))
    if longest is not None:
        descending = {"fields": {}, "sort": [{"field": "Last *", "desc": True}]}
        panel = panel.with_transformation(_transformation("reduce", reducers=[_LAST], mode="seriesToRows"))
        panel = panel.with_transformation(_transformation("sortBy", **descending))
        panel = panel.with_transformation(_transformation("limit", limitField=longest))
    for letter, query in _lettered(queries):
        panel = panel.with_target(_target(letter, query))
    return _coloured(_common(panel, text, unit), colours or {})


def rows(text: PanelText, by: str, *columns: tuple[str, str, PanelQuery], span: int = WHOLE) -> table.Panel:
    """Return a table of the last values of the time range: one row per value of ``by``, one column per query."""
    panel = table.Panel().span(span).height(GRAPH).color_scheme(_fixed(PLAIN)).thresholds(_steps(_NO_STEPS))
    names, groups = {by: by}, {by: {"aggregations": [], "operation": "groupby"}}
    for letter, (title, unit, query) in _lettered(columns):
        names[f"Value #{letter} ({_LAST})"] = title
        groups[f"Value #{letter}"] = {"aggregations": [_LAST], "operation": "aggregate"}
        panel = panel.with_target(_target(letter, replace(query, rows=True)))
        width = [model.DynamicConfigValue("custom.width", _DATE_WIDTH)] if unit == "dateTimeAsIso" else []
        panel = panel.override_by_name(title, [model.DynamicConfigValue("unit", unit), *width])
    order = {name: place for place, name in enumerate(names)}
    for step in (
        _transformation("groupBy", fields=groups),
        _transformation("joinByField", byField=by, mode="outer"),
        _transformation("filterFieldsByName", include={"names": list(names)}),
        _transformation("organize", renameByName=names, indexByName=order),
    ):
        panel = panel.with_transformation(step)
    return _common(panel, text, "short")


def _common(panel: P, text: PanelText, unit: str) -> P:
    """Set what every panel has."""
    return panel.title(text.title).description(text.description).unit(unit).no_value(text.empty).datasource(DATA_SOURCE)


def _with_fields(panel: P, fields: Iterable[Field]) -> P:
    """Set how single fields are shown."""
    for one in fields:
        settings = {"displayName": one.title, "unit": one.unit}
        properties = [model.DynamicConfigValue(name, value) for name, value in settings.items() if value]
        if one.colour:
            properties.append(model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": one.colour}))
        if one.texts:
            texts = {
                value: {"index": place, "text": text, "color": colour}
                for place, (value, (text, colour)) in enumerate(one.texts.items())
            }
            properties.append(model.DynamicConfigValue("mappings", [{"type": "value", "options": texts}]))
        panel = panel.override_by_regexp(f"/^{one.name}$/", properties)
    return panel


def _neutral(text: str) -> model.SpecialValueMap:
    """Return the mapping of a missing value to its reason: without it, Grafana colours the reason by the thresholds."""
    result = model.ValueMappingResult(text=text, color=PLAIN, index=0)
    missing = model.SpecialValueMatch.NULL_AND_NAN
    return model.SpecialValueMap(model.DashboardSpecialValueMapOptions(match=missing, result=result))


def _transformation(name: str, **settings: object) -> model.DataTransformerConfig:
    return model.DataTransformerConfig(id_val=name, options=settings)


def _in_order() -> model.DataTransformerConfig:
    """Sort rows by time: the series of a range come one after the other."""
    return _transformation("sortBy", fields={}, sort=[{"field": "Time"}])


def _lettered(items: Iterable[T]) -> Iterator[tuple[str, T]]:
    return zip(ascii_uppercase, items, strict=False)


def _target(letter: str, query: PanelQuery) -> prometheus.Dataquery:
    """Return a query over the time range, so that the last value stays when a run ends or a scrape fails."""
    target = prometheus.Dataquery().expr(query.expr).ref_id(letter).datasource(DATA_SOURCE).range()
    if query.rows:
        target = target.format(queries.PromQueryFormat.TABLE)
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
    return panel.thresholds(_steps((*_NO_STEPS, (value, colour)))).thresholds_style(dashes)


def _steps(steps: Steps) -> dashboard.ThresholdsConfig:
    thresholds = [model.Threshold(value=value, color=colour) for value, colour in steps]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(thresholds)


def _fixed(colour: str) -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color(colour)


def _by_value() -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS)
