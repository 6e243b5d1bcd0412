"""Runs the promtool tests of every mutant of every rule: each mutant must make them fail."""

import copy
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from dashboards import stored
from joinstorm.boardproof.findings import Mutation
from joinstorm.boardproof.mutants import mutants
from joinstorm.prometheus.server import promtool, tool
from streams.errors import JoinstormError
from streams.system.scratch import scratch

_BATCH: Final = 20
"""Mutants per promtool process."""
_VERDICT: Final = re.compile(r"Unit Testing: +(\S+)\n +(SUCCESS|FAILED)")
_OTHER: Final = {"page": "ticket", "ticket": "page"}


@dataclass(frozen=True)
class RuleMutant:
    """One mutant of one rule."""

    rule: str
    what: str
    rules: dict[str, Any] = field(repr=False)
    """The whole rules file with the mutant."""

    def __str__(self) -> str:
        """Return it as one line of text."""
        return f"{self.rule}: {self.what}"


def check_rules(folder: Path = stored.HERE) -> str:
    """Check the rules and run their tests with promtool; return its output.

    Raises:
        EnvironmentMissingError: promtool is not installed.
        JoinstormError: A rule or a test fails; the text is promtool's.
    """
    promtool("check", "rules", str(folder / stored.RULES))
    return promtool("test", "rules", str(folder / stored.RULE_TESTS))


def mutate(substitutes: Mapping[str, str]) -> Mutation:
    """Run the tests of every mutant of every rule of the package; one that passes them survives.

    Raises:
        EnvironmentMissingError: promtool is not installed.
    """
    rules = yaml.safe_load((stored.HERE / stored.RULES).read_text())
    tests = yaml.safe_load((stored.HERE / stored.RULE_TESTS).read_text())
    made = list(rule_mutants(rules, substitutes))
    batches = [made[at : at + _BATCH] for at in range(0, len(made), _BATCH)]
    program = tool("promtool")
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        passed = pool.map(lambda batch: _passed(program, batch, tests), batches)
        survivors = [mutant for batch in passed for mutant in batch]
    return Mutation(len(made), [str(mutant) for mutant in survivors])


def rule_mutants(rules: dict[str, Any], substitutes: Mapping[str, str]) -> Iterator[RuleMutant]:
    """Yield every mutant of every rule: of its expression, and of all its other fields."""
    for place, rule in enumerate(rules["groups"][0]["rules"]):
        name = rule.get("alert") or rule["record"]
        for mutant in mutants(rule["expr"], substitutes):
            yield RuleMutant(name, f"{mutant.what}: {mutant.expr}", _with(rules, place, {"expr": mutant.expr}))
        for what, change in _other_changes(rule):
            yield RuleMutant(name, what, _with(rules, place, change))


def _other_changes(rule: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    yield "removed", None
    if "record" in rule:
        yield "recorded under another name", {"record": f"{rule['record']}_unknown"}
        return
    yield "under another name", {"alert": f"{rule['alert']}Again"}
    yield "waiting longer", {"for": "5m"}
    if "for" in rule:
        yield "without waiting", {"for": "0s"}
    yield "of another severity", {"labels": {"severity": _OTHER[rule["labels"]["severity"]]}}
    yield "without a severity", {"labels": {}}
    for annotation, text in rule["annotations"].items():
        yield f"{annotation} changed", {"annotations": {**rule["annotations"], annotation: f"{text}."}}


def _with(rules: dict[str, Any], place: int, change: dict[str, Any] | None) -> dict[str, Any]:
    changed = copy.deepcopy(rules)
    group = changed["groups"][0]["rules"]
    if change is None:
        del group[place]
    else:
        group[place].update(change)
    return changed


def _passed(program: str, batch: list[RuleMutant], tests: dict[str, Any]) -> list[RuleMutant]:
    """Run, for each mutant, the tests of its rule; return the mutants that passed them."""
    with scratch("rules") as folder:
        paths = [_write(folder, number, mutant, tests) for number, mutant in enumerate(batch)]
        # One processor per process: as many processes run at once as there are processors.
        environ = {**os.environ, "GOMAXPROCS": "1"}
        command = [program, "test", "rules", *map(str, paths)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=environ
        )
    verdicts = dict(_VERDICT.findall(done.stdout))
    if verdicts.keys() != set(map(str, paths)):
        raise JoinstormError(f"promtool did not report every test: {done.stdout}")
    return [mutant for mutant, path in zip(batch, paths, strict=True) if verdicts[str(path)] == "SUCCESS"]


def _write(folder: Path, number: int, mutant: RuleMutant, tests: dict[str, Any]) -> Path:
    chosen = [test for test in tests["tests"] if mutant.rule in _tested(test)]
    rules, path = folder / f"{number}.rules.yaml", folder / f"{number}.yaml"
    rules.write_text(yaml.safe_dump(mutant.rules))
    path.write_text(yaml.safe_dump({**tests, "rule_files": [rules.name], "tests": chosen}))
    return path


def _tested(test: dict[str, Any]) -> set[str]:
    """Return the alerts and recorded series that a group of tests covers."""
    alerts = {case["alertname"] for case in test.get("alert_rule_test", ())}
    return alerts | {case["expr"] for case in test.get("promql_expr_test", ())}
