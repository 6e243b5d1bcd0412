"""The boards as files: what the code makes, by the linter's rules, reading only what is served."""

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as model

from dashboards import build, docs, lint, palette, panels, promql, publish, rules, stored, thresholds
from streams.contract.names import SHIPPED_PHASES
from streams.metrics.definitions import EVENT_TIME_METRICS, EXPORTER_METRICS, WORKER_METRICS
from streams.metrics.receiver import RECEIVER_METRICS

ROOT = Path(__file__).parents[3]
SERVED = (*EXPORTER_METRICS, *WORKER_METRICS, *RECEIVER_METRICS, *EVENT_TIME_METRICS)
BOARDS = stored.boards()
DATA_SOURCES_OWN = ("titleFormat", "textFormat", "tagKeys", "step", "useValueForTime")
"""Fields of an annotation that Prometheus as a data source knows; Grafana's schema leaves them open."""


def test_the_committed_files_are_what_the_code_makes() -> None:
    """Boards, rules and docs/boards.md are generated again and compared byte for byte."""
    assert build.differing(stored.HERE, build.files()) == []
    assert build.differing(ROOT, {docs.PATH: docs.text()}) == []


@pytest.mark.parametrize("uid", sorted(BOARDS))
def test_grafanas_schema_knows_every_field(uid: str) -> None:
    """A board read by the types of Grafana's schema and written again has lost only the data source's own."""
    register_default_plugins()
    back = json.loads(json.dumps(model.Dashboard.from_json(BOARDS[uid]), cls=JSONEncoder))
    board = copy.deepcopy(BOARDS[uid])
    for annotation in board["annotations"]["list"]:
        for name in DATA_SOURCES_OWN:
            annotation.pop(name, None)
    assert merged(back, board) == back


def merged(here: Any, there: Any) -> Any:
    """Return ``here`` with everything that ``there`` has."""
    if isinstance(here, dict) and isinstance(there, dict):
        return here | {name: merged(here.get(name), value) for name, value in there.items()}
    if isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        return [merged(one, other) for one, other in zip(here, there, strict=True)]
    return there


def test_making_the_boards_twice_gives_the_same_bytes() -> None:
    """Nothing in them comes from a clock, a counter or the order of a set."""
    assert build.files() == build.files()


def test_build_writes_only_what_differs(tmp_path: Path) -> None:
    """A second build has nothing to do; a board that is too many goes."""
    assert build.write(tmp_path, build.files()) == sorted(build.files())
    assert build.write(tmp_path, build.files()) == []
    (tmp_path / "generated" / "joinstorm-old.json").write_text("{}")
    assert build.write(tmp_path, build.files()) == ["generated/joinstorm-old.json"]
    assert build.differing(tmp_path, build.files()) == []


def test_boards_keep_the_linters_rules() -> None:
    """Title, description, unit, data source, valid PromQL, served metrics and labels: nothing is found."""
    assert [str(finding) for finding in lint.lint(BOARDS, SERVED)] == []


def test_what_grafanas_own_linter_is_to_leave_out_has_its_reason() -> None:
    """Its configuration has a reason for each excluded rule, and excludes no rule that we check ourselves."""
    left_out = yaml.safe_load((stored.HERE / stored.GENERATED / ".lint").read_text())["exclusions"]
    assert all(rule.get("reason") for rule in left_out.values())
    kept = {"template-datasource-rule", "panel-title-description-rule", "panel-units-rule", "target-promql-rule"}
    assert not left_out.keys() & {*kept, "panel-datasource-rule", "target-rate-interval-rule"}


def test_every_exception_is_needed() -> None:
    """An exception from a rule stands for a panel that is there."""
    titles = {(uid, panel["title"]) for uid, board in BOARDS.items() for panel in lint.panels(board)}
    assert {(uid, title) for uid, title, _ in lint.EXCEPTIONS} <= titles
    assert all(lint.EXCEPTIONS.values())


def test_every_metric_served_is_on_a_board() -> None:
    """None is served for nothing."""
    assert lint.unused(BOARDS, SERVED) == set()


Break = Callable[[dict[str, Any]], object]
_PANEL = "Drop rate"


def panel_of(board: dict[str, Any]) -> dict[str, Any]:
    """Return the panel that the broken boards below are broken at."""
    found: dict[str, Any] = next(panel for panel in board["panels"] if panel["title"] == _PANEL)
    return found


def expr(text: str) -> Break:
    """Return a break: the panel asks something else."""
    return lambda board: panel_of(board)["targets"][0].update(expr=text)


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("uid", lambda board: board.update(uid="Launch!")),
        ("description", lambda board: board.update(description="")),
        ("links", lambda board: board.update(links=[])),
        ("title", lambda board: panel_of(board).update(title="Join success")),
        ("title", lambda board: panel_of(board).update(title="")),
        ("description", lambda board: panel_of(board).update(description="The drop rate.")),
        ("unit", lambda board: panel_of(board)["fieldConfig"]["defaults"].pop("unit")),
        ("unit", lambda board: panel_of(board)["fieldConfig"]["defaults"].update(unit="drops")),
        ("colour", lambda board: panel_of(board)["fieldConfig"]["defaults"].pop("thresholds")),
        ("no value", lambda board: panel_of(board)["fieldConfig"]["defaults"].pop("noValue")),
        ("type", lambda board: panel_of(board).update(type="graph")),
        ("query", lambda board: panel_of(board).update(targets=[])),
        ("query", lambda board: panel_of(board)["targets"].append(panel_of(board)["targets"][0])),
        ("data source", lambda board: panel_of(board)["targets"][0].update(datasource={"uid": "mine"})),
        ("data source", lambda board: panel_of(board).update(datasource={"type": "prometheus", "uid": "mine"})),
        ("id", lambda board: panel_of(board).update(id=2)),
        ("layout", lambda board: panel_of(board)["gridPos"].update(x=20)),
        ("layout", lambda board: panel_of(board)["gridPos"].update(y=1)),
        ("variables", lambda board: board["templating"]["list"].pop()),
        ("variables", lambda board: board["templating"]["list"].append({"name": "spare", "type": "custom"})),
        ("variables", lambda board: board["templating"]["list"][1].update(refresh=1)),
        ("data source", lambda board: board["templating"]["list"][0].update(label="Source")),
        ("promql", expr("sum(joinstorm_drop_ratio")),
        ("promql", expr("")),
        ("metric", expr("joinstorm_drop_rate")),
        ("label", expr('joinstorm_drop_ratio{room="first"}')),
        ("label", expr("sum by (room) (joinstorm_drop_ratio)")),
        ("label", expr("joinstorm_drop_ratio * on (room) joinstorm_audience_listeners")),
        ("event time", expr("rate(joinstorm_presence_events_total[$__rate_interval])")),
        ("rate interval", expr("rate(joinstorm_engine_events_total[5m])")),
    ],
)
def test_each_rule_finds_what_it_forbids(rule: str, broken: Break) -> None:
    """A board broken in one place is found, by that rule."""
    board = copy.deepcopy(BOARDS["joinstorm-launch"])
    broken(board)
    assert rule in {finding.rule for finding in lint.lint({"joinstorm-launch": board}, SERVED)}


def test_legends_name_labels_that_the_metrics_have() -> None:
    """A legend with a label that no metric has would be empty."""
    known = {label for metric in SERVED for label in metric.labels} | lint.TARGET
    for board in BOARDS.values():
        for panel in lint.panels(board):
            for target in panel["targets"]:
                assert set(re.findall(r"\\{\\{(\\w+)\\}\\}", target.get("legendFormat", ""))) <= known, panel["title"]


def test_variables_are_read_and_filled_in() -> None:
    """Both of Grafana's spellings; an unknown variable stays, so that the parser stumbles over it."""
    text = 'a{x="$one"} + b{y=~"${two:regex}"}[$__rate_interval] + $three'
    assert promql.variables(text) == {"one", "two", "__rate_interval", "three"}
    assert promql.fill(text, {"one": "1", "two": "a|b"}) == 'a{x="1"} + b{y=~"a|b"}[$__rate_interval] + $three'


def test_the_rules_read_what_is_served_or_recorded_before() -> None:
    """Every metric and label of every rule exists; recordings read served metrics only, alerts recordings as well."""
    served = {metric.name: set(metric.labels) | lint.TARGET for metric in SERVED}
    recorded = {rule.name: {"engine"} for rule in rules.RECORDINGS}
    texts = [(rule.expr, served) for rule in rules.RECORDINGS]
    texts += [(rule.expr, served | recorded) for rule in rules.ALERTS]
    for text, known in texts:
        for selector in promql.read(text).selectors:
            assert selector.metric in known, text
            assert selector.labels <= known[selector.metric], text


def test_every_recorded_series_is_used() -> None:
    """An unused series would cost every Prometheus that loads the rules."""
    used = {one.metric for rule in (*rules.RECORDINGS, *rules.ALERTS) for one in promql.read(rule.expr).selectors}
    assert {rule.name for rule in rules.RECORDINGS} <= used


def test_every_rule_has_a_test() -> None:
    """rules/joinstorm_test.yaml shows each alert firing and asks for each recorded series."""
    tests = yaml.safe_load((stored.HERE / stored.RULE_TESTS).read_text())["tests"]
    alerts = [case for test in tests for case in test.get("alert_rule_test", ())]
    silent = {case["alertname"] for case in alerts if not case.get("exp_alerts")}
    firing = {case["alertname"] for case in alerts if case.get("exp_alerts")}
    asked = {case["expr"] for test in tests for case in test.get("promql_expr_test", ())}
    assert silent == firing == {alert.name for alert in rules.ALERTS}
    assert asked == {rule.name for rule in rules.RECORDINGS}


def test_every_alert_has_a_runbook() -> None:
    """A heading and a row of the table for each, and none for an alert that is no more."""
    text = (ROOT / rules.RUNBOOKS).read_text()
    names = {alert.name for alert in rules.ALERTS}
    assert set(re.findall(r"^## (\w+)$", text, re.MULTILINE)) == names
    assert {
        (name, severity) for name, severity in re.findall(r"^\| \[(\w+)\]\(#\w+\) \| (\w+)", text, re.MULTILINE)
    } == {(alert.name, alert.severity) for alert in rules.ALERTS}


def test_runbooks_name_panels_that_are_there() -> None:
    """Every panel a runbook names exists."""
    titles = {panel["title"] for board in BOARDS.values() for panel in lint.panels(board)}
    looks = "\n".join(
        re.findall(r"^\*\*Look\.\*\* (.*?)\n\n", (ROOT / rules.RUNBOOKS).read_text(), re.MULTILINE | re.DOTALL)
    )
    named = {" ".join(name.split()) for name in re.findall(r"\*([A-Z][^*]+)\*", looks)}
    assert named <= titles | {board["title"] for board in BOARDS.values()}


def test_thresholds_on_the_boards_are_those_of_the_rules() -> None:
    """The line in a panel is where its alert begins."""
    launch = {panel["title"]: panel for panel in BOARDS["joinstorm-launch"]["panels"]}
    for title, value in (("Drop rate", thresholds.DROP_RATIO), ("Join success", thresholds.JOIN_SUCCESS)):
        steps = launch[title]["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert [step["value"] for step in steps] == [None, value]


def test_what_a_reader_must_not_take_for_good_is_not_green() -> None:
    """Melting is red as drops are, the talk alone is green, and the truth is grey and dashed on every graph."""
    assert palette.PHASES["melting"][1] == palette.DROP
    assert [name for name, (_, colour) in palette.PHASES.items() if colour == palette.GOOD] == ["talk"]
    assert set(palette.PHASES) == set(SHIPPED_PHASES)
    for board in BOARDS.values():
        for panel in (panel for panel in lint.panels(board) if panel["type"] == "timeseries"):
            rules_of_truth = [
                one["properties"][0]["id"]
                for one in panel["fieldConfig"]["overrides"]
                if panels.TRUTH_SERIES in one["matcher"]["options"]
            ]
            assert rules_of_truth == ["color", "custom.lineStyle"], panel["title"]


def test_every_query_covers_the_time_range() -> None:
    """So that the last value stays when a run ends or a scrape fails; none asks for the present moment alone."""
    for board in BOARDS.values():
        for panel in lint.panels(board):
            assert all(target["range"] and not target.get("instant") for target in panel["targets"]), panel["title"]


def test_links_keep_the_variables_and_the_time() -> None:
    """From board to board an engine, a room and the time range stay chosen; the real dates keep the variables."""
    for board in BOARDS.values():
        boards, evening = board["links"]
        assert boards["includeVars"]
        assert boards["keepTime"]
        assert evening["includeVars"]


def test_runbooks_may_have_an_address() -> None:
    """Alerts and annotations then point there."""
    address = "https://example.org/runbooks.md"
    made = build.files(address)
    assert f"runbook_url: {address}#launchmelting" in made[stored.RULES]
    assert address in made["generated/joinstorm-launch.json"]


def test_provisioning_fits_what_is_published() -> None:
    """The provisioned data source and folder are those that publishing would make."""
    folder = stored.HERE / "provisioning" / "grafana"
    (source,) = yaml.safe_load((folder / "datasources" / "joinstorm.yaml").read_text())["datasources"]
    wanted = publish.data_source(publish.Publication(boards={}, prometheus_url="http://prometheus:9090"))
    assert {key: source[key] for key in wanted} == wanted
    (provider,) = yaml.safe_load((folder / "dashboards" / "joinstorm.yaml").read_text())["providers"]
    assert (provider["folderUid"], provider["folder"]) == (publish.FOLDER_UID, publish.FOLDER_TITLE)
