"""Evaluates the rules over a whole night in Prometheus: which alert fires in which phase, and whether it should."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from dashboards import promql
from dashboards.rules import ALERTS, RECORDINGS, Alert
from joinstorm.boardproof.proofnight import GOOD
from joinstorm.oracle.answers import ask
from joinstorm.prometheus.backfill import info_of, make_blocks, night_of, times, whole_night, write_openmetrics
from joinstorm.prometheus.server import Prometheus
from producers.tape.tapefile import Tape
from streams.contract.runinfo import RunInfo

STEP_SECONDS: Final = 60
"""The event time between scrapes, one per second, at the usual speed of 60."""
_QUIET_STEP_SECONDS: Final = 300
_LOOKBACK: Final = f"{STEP_SECONDS - 1}s"

Fired: TypeAlias = dict[str, set[str]]
"""Phases in which an alert fired, by the alert's name; alerts that did not fire are left out."""


@dataclass(frozen=True)
class Judgement:
    """The alerts of one night compared with the due ones.

    Args:
        right: Alert and phase: fired where due.
        missed: Alert and phase: not fired where due.
        false: Alert and phase: fired where it must not.
    """

    right: frozenset[tuple[str, str]]
    missed: frozenset[tuple[str, str]]
    false: frozenset[tuple[str, str]]


def alerts_of(tape: Path, folder: Path) -> tuple[RunInfo, Fired]:
    """Evaluate every alert over a tape's night, as counted by an exact engine.

    Args:
        tape: The tape.
        folder: An empty folder to work in.

    Raises:
        EnvironmentMissingError: prometheus or promtool is not installed.
    """
    info = info_of(Tape.open(tape))
    nights = {GOOD: night_of(ask(tape, info), info)}
    series = whole_night(info, nights, times(info, STEP_SECONDS, _QUIET_STEP_SECONDS))
    text = folder / "night.om"
    with text.open("w", encoding="utf-8") as file:
        write_openmetrics({name: series[name] for name in _read_by_rules() & series.keys()}, file)
    make_blocks(text, folder / "data")
    with Prometheus(folder, lookback=_LOOKBACK) as prometheus:
        return info, {alert.name: phases for alert in ALERTS if (phases := _phases(alert, info, prometheus))}


def judge(fired: Fired, info: RunInfo, *, melts: bool) -> Judgement:
    """Compare the alerts that fired with the due ones.

    Args:
        fired: Alerts and phases.
        info: The night.
        melts: Whether the night melts; if not, the alerts on the rooms must not fire.
    """
    phases = {phase.name for phase in info.phases}
    due, may = set(), set()
    for alert in ALERTS:
        if melts or "thread" in alert.due:
            due |= {(alert.name, phase) for phase in alert.due if phase in phases}
            may |= {(alert.name, phase) for phase in alert.may}
    seen = {(name, phase) for name, where in fired.items() for phase in where}
    return Judgement(frozenset(seen & due), frozenset(due - seen), frozenset(seen - due - may))


def precision(judgements: Iterable[Judgement]) -> float:
    """Return right / (right + false); 1 when nothing fired."""
    right, _, false = _sizes(judgements)
    return right / (right + false) if right + false else 1.0


def recall(judgements: Iterable[Judgement]) -> float:
    """Return right / (right + missed); 1 when nothing was due."""
    right, missed, _ = _sizes(judgements)
    return right / (right + missed) if right + missed else 1.0


def _sizes(judgements: Iterable[Judgement]) -> tuple[int, int, int]:
    nights = list(judgements)
    return (
        sum(len(judgement.right) for judgement in nights),
        sum(len(judgement.missed) for judgement in nights),
        sum(len(judgement.false) for judgement in nights),
    )


def _read_by_rules() -> set[str]:
    readings = (promql.read(expanded(alert.expr)) for alert in ALERTS)
    return {selector.metric for reading in readings for selector in reading.selectors}


def expanded(expr: str) -> str:
    """Return an alert's expression with every recorded series replaced by its expression.

    Prometheus evaluates the rules of a group in order at one time, so the two are equivalent.
    """
    for rule in RECORDINGS:
        expr = expr.replace(rule.name, f"({rule.expr})")
    return expr


def _phases(alert: Alert, info: RunInfo, prometheus: Prometheus) -> set[str]:
    """Return the phases in which an alert's expression holds, queried part by part."""
    found: set[str] = set()
    part = 10_000 * STEP_SECONDS  # Prometheus returns 11,000 points at most
    for start in range(info.start // 1000, info.end // 1000, part):
        end = min(start + part - STEP_SECONDS, info.end // 1000)
        series = prometheus.query_range(expanded(alert.expr), start, end, STEP_SECONDS)
        found |= {info.phase_at(round(at * 1000)) for moments in series.values() for at in moments}
    return found
