"""The boards of a drill: what an operator sees of a night, as panels of values over time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from joinstorm.alerts.nightsamples import NightSamples
from joinstorm.prometheus.remoteread import NAME, RemoteSeries
from streams.metrics import definitions as m

Values = NDArray[np.float64]
STEP_MS: Final = 15_000
_READ: Final = frozenset(
    one.name
    for one in (
        m.AUDIENCE, m.CAPACITY, m.WAITING, m.PRESENCE_MINUTE, m.DROP_RATIO, m.JOIN_SUCCESS, m.TIME_TO_JOIN,
        m.TWEETS_MINUTE, m.CLIENT_DROP_RATIO, m.CLIENT_JOIN_SUCCESS, m.REASON_MINUTE,
    )
)  # fmt: skip
_Combine = Callable[[Values], Values]


@dataclass(frozen=True, eq=False)
class Panel:
    """A figure over time.

    Args:
        name: What it shows.
        unit: ``people``, ``ratio``, ``seconds`` or ``tweets``.
        times: Event times (ms), growing.
        values: One for each; not a number where there is none.
    """

    name: str
    unit: str
    times: NDArray[np.int64]
    values: Values

    def between(self, start: int, end: int) -> "Panel":
        """Return the part of it from one event time to another, both included."""
        kept = (self.times >= start) & (self.times <= end)
        return Panel(self.name, self.unit, self.times[kept], self.values[kept])

    def at(self, moment: int) -> float | None:
        """Return the value at an event time; None where there is none."""
        place = int(np.searchsorted(self.times, moment, "right")) - 1
        value = float(self.values[place]) if place >= 0 else float("nan")
        return None if np.isnan(value) else value


@dataclass(frozen=True)
class _Plan:
    """How a panel is made of samples: series of a metric whose labels match, added up or the least of them."""

    name: str
    unit: str
    metric: str
    labels: tuple[tuple[str, str], ...] = ()
    least: bool = False


def _minute(name: str, kind: str) -> _Plan:
    return _Plan(name, "people", m.PRESENCE_MINUTE.name, (("kind", kind),))


PLANS: Final = (
    _Plan("in the room", "people", m.AUDIENCE.name),
    _Plan("capacity", "people", m.CAPACITY.name),
    _Plan("waiting outside", "people", m.WAITING.name),
    _minute("arrivals a minute", "arrival"),
    _minute("joins a minute", "join"),
    _minute("refused a minute", "fail"),
    _minute("dropped a minute", "drop"),
    _minute("leaves a minute", "leave"),
    _Plan("drop rate", "ratio", m.DROP_RATIO.name),
    _Plan("join success", "ratio", m.JOIN_SUCCESS.name, least=True),
    _Plan("time to join, 95 %", "seconds", m.TIME_TO_JOIN.name, (("quantile", "0.95"),)),
    _Plan("tweets a minute", "tweets", m.TWEETS_MINUTE.name),
)


def boards_of(samples: NightSamples) -> list[Panel]:
    """Return the boards of a night, whole."""
    info = samples.info
    times = np.arange(info.start, info.end + 1, STEP_MS)
    series = samples.read(_READ)
    plans = (*PLANS, *_by_label(series))
    return [Panel(plan.name, plan.unit, times, _combined(plan, series, times)) for plan in plans]


def _by_label(series: Sequence[RemoteSeries]) -> list[_Plan]:
    """Return the panels by client and by reason that a night has."""
    found = []
    for one in series:
        labels = dict(one.labels)
        if labels[NAME] == m.CLIENT_DROP_RATIO.name:
            found.append(_of_client("drop rate", m.CLIENT_DROP_RATIO.name, labels["client"]))
        elif labels[NAME] == m.CLIENT_JOIN_SUCCESS.name:
            found.append(_of_client("join success", m.CLIENT_JOIN_SUCCESS.name, labels["client"]))
        elif labels[NAME] == m.REASON_MINUTE.name:
            pairs = (("kind", labels["kind"]), ("reason", labels["reason"]))
            name = f"{labels['kind']}s: {labels['reason'].replace('_', ' ')}"
            found.append(_Plan(name, "people", m.REASON_MINUTE.name, pairs))
    return sorted(found, key=lambda plan: plan.name)


def _of_client(what: str, metric: str, client: str) -> _Plan:
    return _Plan(f"{what}, {client}", "ratio", metric, (("client", client),))


def _combined(plan: _Plan, series: Sequence[RemoteSeries], times: NDArray[np.int64]) -> Values:
    found = np.full(len(times), np.nan)
    for one in series:
        labels = dict(one.labels)
        if labels[NAME] != plan.metric or any(labels.get(name) != value for name, value in plan.labels):
            continue
        places = np.searchsorted(times, one.times)
        values = np.full(len(times), np.nan)
        values[places] = np.where(np.isnan(one.values), np.nan, one.values)  # a mark of an end is a signalling NaN
        both = np.fmin(found, values) if plan.least else found + np.nan_to_num(values)
        found = np.where(np.isnan(found), values, both)
    return found
