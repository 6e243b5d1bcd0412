"""Scoring a rules file over nights: every processor evaluates its share of them with a Prometheus of its own."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from typing import Final

from joinstorm.alerts.evaluation import RuleEvaluator, RuleOutcome
from joinstorm.alerts.expectation import Expectation, check_phases
from joinstorm.alerts.nightlibrary import NightSource, samples_of
from joinstorm.alerts.nightsamples import NightInfo, NightSamples
from joinstorm.alerts.ruleorder import RulePlan, plan
from joinstorm.alerts.rulesfile import Rule, RulesFile
from joinstorm.alerts.scoring import AlertScore, alert_night
from streams.errors import RulesError
from streams.metrics.definitions import EXPORTER_METRICS, WORKER_METRICS
from streams.system.scratch import scratch

STEP_MS: Final = 15_000
ENGINE: Final = "faust"
_LEAST: Final = 3
"""Nights that make a share: for fewer, another process costs more than it saves."""
_SHARES: Final = 4
"""Per processor: small enough that all end together, large enough that starting a Prometheus does not matter."""

Progress = Callable[[int, int], None]
"""Called with the number of nights done and of all nights."""


@dataclass(frozen=True)
class NightSettings:
    """How nights are sampled and rules evaluated.

    Args:
        step: Milliseconds between samples.
        interval: Milliseconds between evaluations of a group that does not say it.
        engine: The value of the label ``engine``.
    """

    step: int = STEP_MS
    interval: int = STEP_MS
    engine: str = ENGINE


def score(
    rules: RulesFile,
    expected: Mapping[Rule, Expectation],
    sources: Sequence[NightSource],
    settings: NightSettings,
    progress: Progress = lambda _done, _of: None,
) -> list[AlertScore]:
    """Evaluate a rules file over nights and judge every alert.

    Raises:
        EnvironmentMissingError: prometheus is not installed.
        RulesError: A rule reads a metric nobody serves, cannot be evaluated, or expects an unknown phase.
        ScenarioError, TapeError: A night cannot be had.
    """
    made = make_plan(rules, sources[0], settings)
    scored = [rule for rule in made.unserved if not made.unserved[rule]]
    nights = outcomes(rules, _needed(made, scored), made.metrics, sources, settings, progress)
    check_phases(
        rules, expected, [[phase.name for phase in info.phases] for info, _ in nights],
        imported=any(not info.simulated for info, _ in nights),
    )  # fmt: skip
    found = {rule: [] for rule in scored}  # type: dict[Rule, list[tuple[NightInfo, RuleOutcome]]]
    for info, results in nights:
        for outcome in results:
            found[outcome.rule].append((info, outcome))
    return [
        AlertScore(
            rule.name, rule.line, expected[rule],
            tuple(alert_night(outcome, info, expected[rule]) for info, outcome in found.get(rule, ())),
            tuple(sorted(made.unserved[rule])),
        )
        for rule in rules.alerts
    ]  # fmt: skip


def make_plan(rules: RulesFile, source: NightSource, settings: NightSettings) -> RulePlan:
    """Ask a Prometheus what the rules read, and put them in order; ``source`` is a night that shows what is served.

    Raises:
        RulesError: As ``score``.
    """
    served = NightSamples.open(samples_of(source, settings.step), settings.engine).metrics()
    known = [metric.name for metric in (*EXPORTER_METRICS, *WORKER_METRICS)]
    with scratch("alerts") as folder, RuleEvaluator(folder) as evaluator:
        try:
            selectors = {rule: evaluator.selectors(rule) for rule in rules.rules}
        except RulesError as error:
            raise RulesError(f"{rules.path}, {error}") from None
    return plan(rules.path, selectors, served & {*known}, known)


def _needed(made: RulePlan, scored: Sequence[Rule]) -> tuple[Rule, ...]:
    left_out = {rule for rule in made.unserved if rule not in scored}
    return tuple(rule for rule in made.rules if rule not in left_out)


def outcomes(
    rules: RulesFile,
    ordered: Sequence[Rule],
    metrics: frozenset[str] | None,
    sources: Sequence[NightSource],
    settings: NightSettings,
    progress: Progress = lambda _done, _of: None,
) -> list[tuple[NightInfo, list[RuleOutcome]]]:
    """Evaluate rules over nights, in the order of the nights.

    Raises:
        RulesError: A rule cannot be evaluated; the text names file and line.
    """
    size = max(_LEAST, -(-len(sources) // (_SHARES * processors())))
    shares = [sources[at : at + size] for at in range(0, len(sources), size)]
    found: dict[int, list[tuple[NightInfo, list[RuleOutcome]]]] = {}
    done = 0
    try:
        for number, results in _shared_out(shares, ordered, metrics, settings):
            found[number] = results
            done += len(results)
            progress(done, len(sources))
    except RulesError as error:
        raise RulesError(f"{rules.path}, {error}") from None
    return [one for number in sorted(found) for one in found[number]]


def processors() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shared_out(
    shares: Sequence[Sequence[NightSource]], *work: object
) -> Iterator[tuple[int, list[tuple[NightInfo, list[RuleOutcome]]]]]:
    """Yield the results of each share as they come; a single share is worked off here."""
    if len(shares) == 1:
        yield 0, _share(shares[0], *work)  # type: ignore[arg-type]
        return
    context = multiprocessing.get_context("spawn")
    stopping = context.Event()
    with ProcessPoolExecutor(processors(), context, initializer=_begin, initargs=(stopping,)) as pool:
        try:
            waiting = {pool.submit(_share, share, *work): number for number, share in enumerate(shares)}  # type: ignore[arg-type]
            for one in as_completed(waiting):
                yield waiting[one], one.result()
        except BaseException:
            stopping.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


_stopping: Event | None = None
"""In a process of the pool: set when the score is not wanted any more."""


def _begin(stopping: Event) -> None:
    """Keep, in a process of the pool, the event that stops it."""
    global _stopping  # noqa: PLW0603 - a process of the pool has no other place
    _stopping = stopping


def _share(
    sources: Sequence[NightSource], ordered: Sequence[Rule], metrics: frozenset[str] | None, settings: NightSettings
) -> list[tuple[NightInfo, list[RuleOutcome]]]:
    """Evaluate rules over some nights in this process."""
    found = []
    with scratch("alerts") as folder, RuleEvaluator(folder) as evaluator:
        for source in sources:
            if _stopping is not None and _stopping.is_set():
                break
            samples = NightSamples.open(samples_of(source, settings.step), settings.engine)
            found.append((samples.info, evaluator.night(samples, ordered, metrics, settings.interval)))
    return found
