"""What rules read, and an order in which each finds what it reads; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

from joinstorm.alerts.rulesfile import Rule
from joinstorm.prometheus.remoteread import NAME
from streams.errors import RulesError
from streams.suggest import nearest

ALERTS: Final = "ALERTS"
ALERTS_FOR_STATE: Final = "ALERTS_FOR_STATE"
Selectors = Mapping[Rule, Sequence[frozenset[tuple[str, str]]]]
"""For each rule and selector, the labels that have to be equal to something."""


@dataclass(frozen=True)
class RulePlan:
    """How to evaluate rules.

    Args:
        rules: In order.
        metrics: What they read of the night; None where a selector does not name its metric.
        unserved: By alert, the metrics it reads, directly or not, that no night has.
    """

    rules: tuple[Rule, ...]
    metrics: frozenset[str] | None
    unserved: Mapping[Rule, frozenset[str]]


def plan(path: Path, selectors: Selectors, served: Iterable[str], known: Iterable[str]) -> RulePlan:
    """Put rules in order and see whether everything they read is there.

    Args:
        path: The file, for errors.
        selectors: What each rule reads.
        served: Metrics of a night.
        known: Metrics joinstorm serves anywhere, such as those of a replay.

    Raises:
        RulesError: A rule reads a metric nobody serves (the text has the nearest), or rules read each other in a
            circle.
    """
    makers = _makers(selectors)
    needs = {rule: _needed(reads, makers) for rule, reads in selectors.items()}
    for rule, of in needs.items():
        for other in of:
            if other.group == rule.group and other.line > rule.line:
                raise RulesError(
                    f"{path}:{rule.line}: {rule.name} reads {other.name}, which its group makes only after it "
                    f"(line {other.line}): Prometheus would show it the evaluation before; move it up"
                )
    try:
        ordered = tuple(TopologicalSorter({rule: sorted(of, key=_line) for rule, of in needs.items()}).static_order())
    except CycleError as error:
        circle = " -> ".join(rule.name for rule in error.args[1])
        raise RulesError(
            f"{path}:{error.args[1][0].line}: rules that read each other cannot be scored: {circle}"
        ) from None
    there, names, plain = frozenset(served), frozenset((*served, *known)), True
    read: set[str] = set()
    missing: dict[Rule, frozenset[str]] = {}
    for rule in ordered:
        own = {dict(one).get(NAME, "") for one in selectors[rule]}
        plain = plain and "" not in own
        outside = {name for name in own if name and name not in makers}
        for name in sorted(outside - names):
            raise RulesError(
                f"{path}:{rule.line}: {rule.name} reads {name}, which nobody serves{_nearest(name, names)}"
            )
        read |= outside & there
        missing[rule] = frozenset(outside - there).union(*(missing[one] for one in needs[rule]))
    return RulePlan(
        ordered, frozenset(read) if plain else None, {rule: missing[rule] for rule in ordered if rule.alert}
    )


def _line(rule: Rule) -> int:
    return rule.line


def _nearest(name: str, names: Iterable[str]) -> str:
    close = nearest(name, sorted(names), cutoff=0.5)
    return f"; the nearest is {close}" if close else "; docs/metrics.md has all metrics"


def _makers(selectors: Selectors) -> dict[str, list[Rule]]:
    """Return the rules that make each series."""
    makers: dict[str, list[Rule]] = {}
    for rule in selectors:
        for name in (ALERTS, ALERTS_FOR_STATE) if rule.alert else (rule.name,):
            makers.setdefault(name, []).append(rule)
    return makers


def _needed(reads: Iterable[frozenset[tuple[str, str]]], makers: Mapping[str, list[Rule]]) -> set[Rule]:
    """Return the rules that make what selectors read."""
    found: set[Rule] = set()
    for one in map(dict, reads):
        made = makers.get(one.get(NAME, ""), [])
        wanted = one.get("alertname")
        found |= {other for other in made if not other.alert or wanted in {None, other.name}}
    return found
