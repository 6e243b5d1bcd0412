"""Rules evaluated over a night by a real Prometheus, in event time, without waiting for it.

Prometheus evaluates every expression at every step of the night (``query_range``); its samples come from here by remote
read, marks where a series ends included. Recorded series and the series ALERTS are served to the rules that read them.
What Prometheus's rule manager does with the values is in ``statemachine``: it reads the wall clock and so cannot run in
the past.
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

import numpy as np

from joinstorm.alerts.labeltemplates import expand
from joinstorm.alerts.nightsamples import NightSamples, with_ends
from joinstorm.alerts.ruleorder import ALERTS, ALERTS_FOR_STATE
from joinstorm.alerts.rulesfile import Rule
from joinstorm.alerts.statemachine import AlertLife, LabelPairs, stretches
from joinstorm.prometheus.remoteread import NAME, RemoteSeries
from joinstorm.prometheus.sampleserver import SampleServer
from joinstorm.prometheus.server import Prometheus, QueryError, RangeSeries
from streams.errors import RulesError
from streams.read.steps import Ints

Lives: TypeAlias = Mapping[LabelPairs, Sequence[AlertLife]]
"""The lives of each alert of a rule, by its labels."""
_LOOKBACK: Final = "5m"
"""Prometheus's own default."""


@dataclass(frozen=True)
class Evaluations:
    """When a group is evaluated: at the multiples of its interval, as promtool does."""

    start: int
    interval: int
    count: int

    @classmethod
    def over(cls, start: int, end: int, interval: int) -> "Evaluations":
        """Return those of a night; all times in milliseconds."""
        first = -(-start // interval) * interval
        return cls(first, interval, max(0, (end - first) // interval + 1))

    def at(self, number: int) -> int:
        """Return the time (ms) of an evaluation."""
        return self.start + number * self.interval

    def times(self) -> Ints:
        """Return all times."""
        return self.start + self.interval * np.arange(self.count, dtype=np.int64)


@dataclass
class SeriesStore:
    """The series rules may read: those of the night, and what rules before them have made."""

    by_name: dict[str, list[RemoteSeries]] = field(default_factory=dict)

    def named(self, name: str) -> Iterable[RemoteSeries]:
        """Return the series of a metric; of all metrics for an empty name."""
        if name:
            return self.by_name.get(name, ())
        return [one for series in self.by_name.values() for one in series]

    def add(self, series: Iterable[RemoteSeries]) -> None:
        """Add series."""
        for one in series:
            self.by_name.setdefault(one.by_name[NAME], []).append(one)


@dataclass(frozen=True)
class RuleOutcome:
    """What became of an alerting rule over a night."""

    rule: Rule
    evaluations: Evaluations
    lives: Lives


class RuleEvaluator:
    """Context manager: a Prometheus that evaluates rules over one night after another.

    Args:
        folder: An empty folder for Prometheus.

    Raises:
        EnvironmentMissingError: prometheus is not installed; the text says how to get it.
    """

    def __init__(self, folder: Path) -> None:
        self._server = SampleServer()
        self._prometheus = Prometheus(folder, self._server.config, lookback=_LOOKBACK)
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as opened:
            opened.enter_context(self._server)
            opened.enter_context(self._prometheus)
            self._open = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def selectors(self, rule: Rule) -> list[frozenset[tuple[str, str]]]:
        """Return what an expression reads: for each selector the labels it asks to be equal to something.

        Raises:
            RulesError: Prometheus does not take it.
        """
        self._server.source, self._server.asked = SeriesStore(), []
        try:
            self._prometheus.query(rule.expr, _SOME_TIME)
        except QueryError as error:
            raise RulesError(f"line {rule.line}: {rule.name}: {error}") from None
        return [frozenset((one.label, one.value) for one in each if one.kind == 0) for each in self._server.asked]

    def night(
        self, samples: NightSamples, rules: Sequence[Rule], metrics: frozenset[str] | None, interval: int
    ) -> list[RuleOutcome]:
        """Evaluate rules over a night and return what became of the alerts among them.

        Args:
            samples: The night.
            rules: In an order in which no rule reads what a later one makes.
            metrics: The night's metrics that the rules read; None for all of them.
            interval: Milliseconds between evaluations where a group does not say it.

        Raises:
            RulesError: An expression cannot be evaluated at some moment; the text names the rule.
        """
        store = SeriesStore()
        store.add(samples.read(samples.metrics() if metrics is None else metrics))
        self._server.source = store
        outcomes: list[RuleOutcome] = []
        known: dict[tuple[str, int], list[RangeSeries]] = {}  # rules that differ in their `for` alone ask once
        for rule in rules:
            evaluations = Evaluations.over(samples.info.start, samples.info.end, rule.interval or interval)
            asked = (rule.expr, evaluations.interval)
            if asked not in known:
                known[asked] = self._values(rule, evaluations)
            found = known[asked]
            if rule.limit:
                _refuse_above_limit(rule, found, evaluations)
            if rule.alert:
                outcome = RuleOutcome(rule, evaluations, _lives(rule, found, evaluations))
                store.add(_alert_series(outcome))
                outcomes.append(outcome)
            else:
                store.add(_recorded(rule, found, evaluations))
        return outcomes

    def _values(self, rule: Rule, evaluations: Evaluations) -> list[RangeSeries]:
        try:
            last = evaluations.at(evaluations.count - 1)
            return self._prometheus.query_range(rule.expr, evaluations.start, last, evaluations.interval)
        except QueryError as error:
            raise RulesError(f"line {rule.line}: {rule.name}: {error}") from None


_SOME_TIME: Final = 1_684_962_000.0
"""Any moment will do to see what an expression reads."""


def _numbers(series: RangeSeries, evaluations: Evaluations) -> list[int]:
    """Return the evaluations at which a series has a value."""
    start, interval = evaluations.start, evaluations.interval
    return [round((at * 1000 - start) / interval) for at, _ in series["values"]]


def _refuse_above_limit(rule: Rule, found: Sequence[RangeSeries], evaluations: Evaluations) -> None:
    """Raise where a rule gives more than its group's limit: Prometheus would then drop all of it."""
    counts = np.zeros(evaluations.count, np.int64)
    for series in found:
        counts[_numbers(series, evaluations)] += 1
    above = np.flatnonzero(counts > rule.limit)
    if len(above):
        most = int(counts[above[0]])
        raise RulesError(
            f"line {rule.line}: {rule.name} gives {most} series, more than the limit of {rule.limit} of group "
            f"{rule.group}: Prometheus would drop them all"
        )


def _lives(rule: Rule, found: Sequence[RangeSeries], evaluations: Evaluations) -> dict[LabelPairs, list[AlertLife]]:
    """Return the lives of every alert of a rule."""
    templated = any("{{" in text for _, text in rule.labels)
    held: dict[LabelPairs, set[int]] = {}
    for series in found:
        metric = {name: value for name, value in series["metric"].items() if name != NAME}
        numbers = _numbers(series, evaluations)
        labels = _labels(rule, metric, 0.0) if not templated else ()
        for number, (_, value) in zip(numbers, series["values"], strict=True):
            key = labels or _labels(rule, metric, float(value))
            moments = held.setdefault(key, set())
            if number in moments:
                raise RulesError(f"line {rule.line}: {rule.name}: several of its alerts have the labels {dict(key)}")
            moments.add(number)
    return {
        key: stretches(sorted(moments), evaluations.count, evaluations.interval, rule.hold, rule.keep)
        for key, moments in sorted(held.items())
    }


def _labels(rule: Rule, metric: Mapping[str, str], value: float) -> LabelPairs:
    set_by_rule = {name: expand(text, metric, value) for name, text in rule.labels}
    labels = {**metric, **set_by_rule, "alertname": rule.name}
    return tuple(sorted((name, text) for name, text in labels.items() if text))


def _recorded(rule: Rule, found: Sequence[RangeSeries], evaluations: Evaluations) -> list[RemoteSeries]:
    """Return the series a recording rule writes, with a mark at the first evaluation that lacks them."""
    columns: dict[LabelPairs, tuple[Any, Any]] = {}
    for series in found:
        labels = {**series["metric"], **dict(rule.labels), NAME: rule.name}
        key = tuple(sorted((name, text) for name, text in labels.items() if text))
        values, present = columns.setdefault(key, (np.zeros(evaluations.count), np.zeros(evaluations.count, np.bool_)))
        numbers = _numbers(series, evaluations)
        if present[numbers].any():
            raise RulesError(f"line {rule.line}: {rule.name}: several of its series have the labels {dict(key)}")
        values[numbers], present[numbers] = [float(text) for _, text in series["values"]], True
    times = evaluations.times()
    return [with_ends(key, times, values, present) for key, (values, present) in columns.items()]


def _alert_series(outcome: RuleOutcome) -> list[RemoteSeries]:
    """Return the series ALERTS and ALERTS_FOR_STATE of a rule."""
    times, made = outcome.evaluations.times(), []
    for labels, lives in outcome.lives.items():
        states = {state: np.zeros(len(times), np.bool_) for state in ("pending", "firing")}
        since = np.zeros(len(times))
        for life in lives:
            states["pending"][life.active : life.fires] = True
            states["firing"][life.fires : life.ends] = True
            since[life.active : life.ends] = times[life.active] // 1000
        ones = np.ones(len(times))
        for state, present in states.items():
            key = tuple(sorted({**dict(labels), NAME: ALERTS, "alertstate": state}.items()))
            made.append(with_ends(key, times, ones, present))
        key = tuple(sorted({**dict(labels), NAME: ALERTS_FOR_STATE}.items()))
        made.append(with_ends(key, times, since, states["pending"] | states["firing"]))
    return made
