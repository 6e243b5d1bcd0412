"""The rules every board follows; a finding names board, panel and rule, and every exception states its reason."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dashboards import promql
from streams.metrics.definitions import OF_THE_NIGHT
from streams.metrics.metric import Metric, at_event_time

EXCEPTIONS: Final[dict[tuple[str, str, str], str]] = {}
"""The reason for each exception, by board uid, panel title and rule."""
DEPRECATED: Final = frozenset({"graph", "singlestat", "table-old", "grafana-worldmap-panel", "grafana-piechart-panel"})
"""Panel types that Grafana 11 and later no longer support (AngularJS)."""
UNITS: Final = frozenset(
    {
        "Bps",
        "bool_yes_no",
        "cps",
        "dateTimeAsIso",
        "dtdurations",
        "none",
        "ops",
        "percentunit",
        "rps",
        "s",
        "short",
        "wps",
    }
)
"""The units the boards use, by the ids known to Grafana 11 and later; any other id would be shown as plain text."""
RELOAD_ON_TIME: Final = 2
"""Grafana's code for a variable that is reloaded when the time range changes."""
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
NIGHT: Final = ("presence_events_total", "tweets_total", "stance_tweets_total", "hashtag_tweets_total", "reposts_total")
"""Counters of the night: their rate per second of wall clock time would grow with the replay's speed."""
PROMETHEUS_OWN: Final = {"ALERTS": frozenset({"alertname", "alertstate", "severity", "engine", "space", "topic"})}
"""Series that Prometheus makes itself, and the labels that the rules give them."""
TARGET: Final = frozenset({"instance", "job"})
"""Labels that Prometheus adds to every series of a target."""
_GRID: Final = 24
_UID: Final = re.compile(r"[a-z0-9-]{8,40}")


@dataclass(frozen=True, order=True)
class LintFinding:
    """A violation of a rule."""

    board: str
    panel: str
    rule: str
    text: str

    def __str__(self) -> str:
        """Return it as one line of text."""
        return f"{self.board}, {self.panel or 'the board'}: {self.text} ({self.rule})"


def lint(boards: Mapping[str, dict[str, Any]], metrics: Iterable[Metric]) -> list[LintFinding]:
    """Return the violations of boards, given by uid; ``metrics`` are all the metrics served."""
    known = {metric.name: metric for metric in metrics}
    found = [finding for uid, board in boards.items() for finding in _Board(uid, board, known).findings()]
    return sorted(one for one in found if (one.board, one.panel, one.rule) not in EXCEPTIONS)


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the panels without the rows, panels inside rows included."""
    flat = [inner for panel in board["panels"] for inner in (panel, *panel.get("panels", ()))]
    return [panel for panel in flat if panel["type"] != "row"]


def expressions(board: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the place of every expression, and the expression: of panels, annotations and variables."""
    for panel in panels(board):
        for target in panel.get("targets", ()):
            yield panel.get("title", ""), target["expr"]
    for annotation in board["annotations"]["list"]:
        if annotation.get("expr"):
            yield f"annotation {annotation['name']}", annotation["expr"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            selector = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
            assert selector, variable["query"]
            yield f"variable {variable['name']}", f"sum by ({selector[2]}) ({selector[1]})"


@dataclass(frozen=True)
class _Board:
    uid: str
    board: dict[str, Any]
    metrics: Mapping[str, Metric]

    def findings(self) -> Iterator[LintFinding]:
        yield from self._whole()
        for panel in panels(self.board):
            yield from self._panel(panel)
        for where, expr in expressions(self.board):
            yield from self._expression(where, expr)

    def _found(self, panel: str, rule: str, text: str) -> LintFinding:
        return LintFinding(self.uid, panel, rule, text)

    def _whole(self) -> Iterator[LintFinding]:
        board = self.board
        if board.get("uid") != self.uid or not _UID.fullmatch(self.uid):
            yield self._found("", "uid", "the uid is 8 to 40 of a-z, 0-9 and '-' and the file's name")
        for field in ("title", "description", "tags", "links"):
            if not board.get(field):
                yield self._found("", field, f"no {field}")
        yield from self._variables()
        yield from self._choices()
        titles = Counter(panel.get("title") for panel in panels(board))
        yield from (self._found(str(title), "title", "title used twice") for title, n in titles.items() if n > 1)
        ids = Counter(panel.get("id") for panel in board["panels"])
        yield from (self._found("", "id", f"panel id {number} used twice") for number, n in ids.items() if n > 1)
        yield from self._layout()

    def _variables(self) -> Iterator[LintFinding]:
        declared = {variable["name"] for variable in self.board["templating"]["list"]}
        used = {name for _, expr in expressions(self.board) for name in promql.variables(expr)} | {"datasource"}
        used = {name for name in used if not name.startswith("__")}
        yield from (self._found("", "variables", f"${name} is not declared") for name in sorted(used - declared))
        yield from (self._found("", "variables", f"${name} is never used") for name in sorted(declared - used))

    def _choices(self) -> Iterator[LintFinding]:
        """Check the variables by the rules of Grafana's own linter."""
        for variable in self.board["templating"]["list"]:
            kind, name = variable["type"], variable["name"]
            if kind == "datasource" and (name, variable.get("label")) != ("datasource", "Data source"):
                yield self._found("", "data source", "the variable is named datasource and labelled Data source")
            if kind == "query" and variable.get("refresh") != RELOAD_ON_TIME:
                yield self._found("", "variables", f"${name} is not reloaded when the time range changes")

    def _layout(self) -> Iterator[LintFinding]:
        occupied: dict[tuple[int, int], str] = {}
        for panel in self.board["panels"]:
            place = panel["gridPos"]
            if place["x"] + place["w"] > _GRID:
                yield self._found(panel["title"], "layout", "reaches beyond the board's width")
            cells = [
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            ]
            over = {occupied[cell] for cell in cells if cell in occupied}
            if over:
                yield self._found(panel["title"], "layout", f"overlaps {', '.join(sorted(over))}")
            occupied.update(dict.fromkeys(cells, panel["title"]))

    def _panel(self, panel: dict[str, Any]) -> Iterator[LintFinding]:
        title = panel.get("title", "")
        defaults = panel.get("fieldConfig", {}).get("defaults", {})
        if not title:
            yield self._found("", "title", "a panel without a title")
        if "**Look for:**" not in panel.get("description", ""):
            yield self._found(title, "description", "no description that says what to look for")
        yield from self._units(title, panel.get("fieldConfig", {}))
        if not (defaults.get("color") or panel["type"] == "timeseries") or not defaults.get("thresholds"):
            yield self._found(title, "colour", "Grafana's own colours and thresholds: green, and red from 80")
        if not defaults.get("noValue"):
            yield self._found(title, "no value", "no text for when there is no data")
        if panel["type"] in DEPRECATED:
            yield self._found(title, "type", f"panel type {panel['type']} is not in Grafana 11")
        targets = panel.get("targets", [])
        if not targets:
            yield self._found(title, "query", "no query")
        if any(one.get("datasource") != SOURCE for one in (panel, *targets)):
            yield self._found(title, "data source", "not the data source variable")
        if len({target["refId"] for target in targets}) != len(targets):
            yield self._found(title, "query", "two queries with the same letter")

    def _units(self, title: str, config: dict[str, Any]) -> Iterator[LintFinding]:
        settings = [one for override in config.get("overrides", ()) for one in override["properties"]]
        units = [config.get("defaults", {}).get("unit"), *(one["value"] for one in settings if one["id"] == "unit")]
        yield from (self._found(title, "unit", f"{unit!r} is not a known unit") for unit in units if unit not in UNITS)

    def _expression(self, where: str, expr: str) -> Iterator[LintFinding]:
        try:
            reading = promql.read(promql.fill(expr))
        except promql.PromqlError as error:
            yield self._found(where, "promql", str(error))
            return
        allowed: set[str] = set(TARGET)
        for selector in reading.selectors:
            if selector.metric in PROMETHEUS_OWN and selector.labels <= PROMETHEUS_OWN[selector.metric]:
                continue
            metric = self.metrics.get(selector.metric)
            if metric is None:
                yield self._found(where, "metric", f"{selector.metric} is not served")
                continue
            allowed.update(metric.labels)
            wrong = sorted(selector.labels - set(metric.labels) - TARGET)
            yield from (self._found(where, "label", f"{metric.name} has no label {label}") for label in wrong)
        wrong = sorted(reading.labels - allowed)
        yield from (self._found(where, "label", f"no metric of the query has the label {label}") for label in wrong)
        for metric_name in reading.rated:
            if metric_name.endswith(NIGHT):
                yield self._found(where, "event time", f"a rate of {metric_name} depends on the replay's speed")
        if reading.rated and "$__rate_interval" not in expr:
            yield self._found(where, "rate interval", "a rate over a range other than $__rate_interval")


def unused(boards: Mapping[str, dict[str, Any]], metrics: Iterable[Metric]) -> set[str]:
    """Return the names of the metrics that no board shows, neither as scraped nor in event time."""
    shown = {
        selector.metric
        for board in boards.values()
        for _, expr in expressions(board)
        for selector in promql.read(promql.fill(expr)).selectors
    }
    shown |= {metric.name for metric in OF_THE_NIGHT if at_event_time(metric).name in shown}
    return {metric.name for metric in metrics} - shown
