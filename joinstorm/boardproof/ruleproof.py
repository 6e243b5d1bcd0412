"""Alters every rule, one place at a time, and runs its promtool tests: each alteration has to make them fail."""

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
from joinstorm.boardproof.mutants import mutants
from joinstorm.prometheus.server import promtool, tool
from streams.errors import JoinstormError
from streams.system.scratch import scratch

_BATCH: Final = 20
"""Alterations per promtool process."""
_VERDICT: Final = re.compile(r"Unit Testing: +(\S+)\n +(SUCCESS|FAILED)")
_OTHER: Final = {"page": "ticket", "ticket": "page"}


@dataclass(frozen=True)
class RuleMutant:
    """One alteration of one rule."""

    rule: str
    what: str
    rules: dict[str, Any] = field(repr=False)
    """The whole rules file with it."""

    def __str__(self) -> str:
        """Return it as a line for people."""
        return f"{self.rule}: {self.what}"


@dataclass
class RuleHunt:
    """What became of the alterations."""

    tried: int = 0
    survivors: list[RuleMutant] = field(default_factory=list)


def check_rules(folder: Path = stored.HERE) -> str:
    """Have promtool check the rules and run their tests; return what it said.

    Raises:
        EnvironmentMissingError: promtool is not installed.
        JoinstormError: A rule or a test fails; the text is promtool's.
    """
    promtool("check", "rules", str(folder / stored.RULES))
    return promtool("test", "rules", str(folder / stored.RULE_TESTS))


def hunt(siblings: Mapping[str, str]) -> RuleHunt:
    """Alter every rule of the package and see whether its tests notice.

    Raises:
        EnvironmentMissingError: promtool is not installed.
    """
    rules = yaml.safe_load((stored.HERE / stored.RULES).read_text())
    tests = yaml.safe_load((stored.HERE / stored.RULE_TESTS).read_text())
    made = list(rule_mutants(rules, siblings))
    batches = [made[at : at + _BATCH] for at in range(0, len(made), _BATCH)]
    program = tool("promtool")
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        passed = pool.map(lambda batch: _passed(program, batch, tests), batches)
        survivors = [mutant for batch in passed for mutant in batch]
    return RuleHunt(len(made), survivors)


def rule_mutants(rules: dict[str, Any], siblings: Mapping[str, str]) -> Iterator[RuleMutant]:
    """Yield every alteration of every rule: of its expression, and of everything else it says."""
    for place, rule in enumerate(rules["groups"][0]["rules"]):
        name = rule.get("alert") or rule["record"]
        for mutant in mutants(rule["expr"], siblings):
            yield RuleMutant(name, f"{mutant.what}: {mutant.expr}", _with(rules, place, {"expr": mutant.expr}))
        for what, change in _other_changes(rule):
            yield RuleMutant(name, what, _with(rules, place, change))


def _other_changes(rule: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    yield "left out", None
    if "record" in rule:
        yield "recorded under another name", {"record": f"{rule['record']}_of_old"}
        return
    yield "under another name", {"alert": f"{rule['alert']}Again"}
    yield "waiting longer", {"for": "5m"}
    if "for" in rule:
        yield "waiting for nothing", {"for": "0s"}
    yield "of another severity", {"labels": {"severity": _OTHER[rule["labels"]["severity"]]}}
    yield "without a severity", {"labels": {}}
    for annotation, text in rule["annotations"].items():
        yield f"{annotation} altered", {"annotations": {**rule["annotations"], annotation: f"{text}."}}


def _with(rules: dict[str, Any], place: int, change: dict[str, Any] | None) -> dict[str, Any]:
    altered = copy.deepcopy(rules)
    group = altered["groups"][0]["rules"]
    if change is None:
        del group[place]
    else:
        group[place].update(change)
    return altered


def _passed(program: str, batch: list[RuleMutant], tests: dict[str, Any]) -> list[RuleMutant]:
    """Run, for each mutant, the tests that ask for its rule; return the mutants that passed them."""
    with scratch("rules") as folder:
        paths = [_write(folder, number, mutant, tests) for number, mutant in enumerate(batch)]
        # One processor each: as many run at once as there are.
        alone = {**os.environ, "GOMAXPROCS": "1"}
        command = [program, "test", "rules", *map(str, paths)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=alone
        )
    said = dict(_VERDICT.findall(done.stdout))
    if said.keys() != set(map(str, paths)):
        raise JoinstormError(f"promtool did not say what became of every test: {done.stdout}")
    return [mutant for mutant, path in zip(batch, paths, strict=True) if said[str(path)] == "SUCCESS"]


def _write(folder: Path, number: int, mutant: RuleMutant, tests: dict[str, Any]) -> Path:
    chosen = [test for test in tests["tests"] if mutant.rule in _asked(test)]
    rules, path = folder / f"{number}.rules.yaml", folder / f"{number}.yaml"
    rules.write_text(yaml.safe_dump(mutant.rules))
    path.write_text(yaml.safe_dump({**tests, "rule_files": [rules.name], "tests": chosen}))
    return path


def _asked(test: dict[str, Any]) -> set[str]:
    """Return the alerts and recorded series that a group of tests asks for."""
    alerts = {case["alertname"] for case in test.get("alert_rule_test", ())}
    return alerts | {case["expr"] for case in test.get("promql_expr_test", ())}
