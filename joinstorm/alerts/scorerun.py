"""Scoring a rules file over nights: every processor evaluates its share of them with a Prometheus of its own."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from joinstorm.alerts.evaluation import RuleEvaluator, RuleOutcome
from joinstorm.alerts.expectation import Expectation, check_phases
from joinstorm.alerts.nightlibrary import NightSource, known_samples, samples_of
from joinstorm.alerts.nightsamples import NightInfo, NightSamples
from joinstorm.alerts.ruleorder import RulePlan, plan
from joinstorm.alerts.rulesfile import Rule, RulesFile
from joinstorm.alerts.scoring import AlertScore, alert_night
from joinstorm.alerts.workers import Workers, shares, stopping
from streams.errors import RulesError
from streams.metrics.definitions import EXPORTER_METRICS, WORKER_METRICS
from streams.system.scratch import scratch

STEP_MS: Final = 15_000
ENGINE: Final = "faust"
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
    with Workers() as workers:
        made = make_plan(rules, _served(sources, settings, workers))
        scored = [rule for rule in made.unserved if not made.unserved[rule]]
        nights = _outcomes(rules, _needed(made, scored), made.metrics, sources, settings, workers, progress)
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


def _served(sources: Sequence[NightSource], settings: NightSettings, workers: Workers) -> frozenset[str]:
    """Return the metrics of the nights: one of each scenario shows what all of them have."""
    kinds = {id(source.scenario) if source.scenario else source.tape: source for source in reversed(sources)}
    missing = [source for source in kinds.values() if known_samples(source, settings.step) is None]
    for _ in workers.results(partial(_metrics, settings=settings), missing):
        pass
    return frozenset().union(*(_metrics(source, settings) for source in kinds.values()))


def _metrics(source: NightSource, settings: NightSettings) -> frozenset[str]:
    return NightSamples.open(samples_of(source, settings.step), settings.engine).metrics()


def make_plan(rules: RulesFile, served: Iterable[str]) -> RulePlan:
    """Ask a Prometheus what the rules read, and put them in order.

    Args:
        rules: The file.
        served: Metrics of the nights.

    Raises:
        RulesError: As ``score``.
    """
    known = [metric.name for metric in (*EXPORTER_METRICS, *WORKER_METRICS)]
    with scratch("alerts") as folder, RuleEvaluator(folder) as evaluator:
        try:
            selectors = {rule: evaluator.selectors(rule) for rule in rules.rules}
        except RulesError as error:
            raise RulesError(f"{rules.path}, {error}") from None
    return plan(rules.path, selectors, {*served} & {*known}, known)


def _needed(made: RulePlan, scored: Sequence[Rule]) -> tuple[Rule, ...]:
    left_out = {rule for rule in made.unserved if rule not in scored}
    return tuple(rule for rule in made.rules if rule not in left_out)


def _outcomes(
    rules: RulesFile,
    ordered: Sequence[Rule],
    metrics: frozenset[str] | None,
    sources: Sequence[NightSource],
    settings: NightSettings,
    workers: Workers,
    progress: Progress,
) -> list[tuple[NightInfo, list[RuleOutcome]]]:
    """Evaluate rules over nights, in the order of the nights.

    Raises:
        RulesError: A rule cannot be evaluated; the text names file and line.
    """
    work = partial(_share, ordered=ordered, metrics=metrics, settings=settings)
    found: dict[int, list[tuple[NightInfo, list[RuleOutcome]]]] = {}
    done = 0
    try:
        for number, results in workers.results(work, shares(sources)):
            found[number] = results
            done += len(results)
            progress(done, len(sources))
    except RulesError as error:
        raise RulesError(f"{rules.path}, {error}") from None
    return [one for number in sorted(found) for one in found[number]]


def _share(
    sources: Sequence[NightSource], ordered: Sequence[Rule], metrics: frozenset[str] | None, settings: NightSettings
) -> list[tuple[NightInfo, list[RuleOutcome]]]:
    """Evaluate rules over some nights in this process."""
    found = []
    with scratch("alerts") as folder, RuleEvaluator(folder) as evaluator:
        for source in sources:
            if stopping():
                break
            samples = NightSamples.open(samples_of(source, settings.step), settings.engine)
            found.append((samples.info, evaluator.night(samples, ordered, metrics, settings.interval)))
    return found
