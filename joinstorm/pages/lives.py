"""When Prometheus fired which alert: the lives of its alerts, from its own series ALERTS and ALERTS_FOR_STATE."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from joinstorm.pages.notifications import ALERTNAME, Labels
from joinstorm.prometheus.server import Labels as SeriesLabels
from joinstorm.prometheus.server import Prometheus

_STATE: Final = ("alertstate", "firing")
Samples = Mapping[SeriesLabels, Sequence[tuple[float, float]]]
"""Time (s) and value, by labels."""


@dataclass(frozen=True)
class FiredAlert:
    """One life of an alert, from the evaluation at which it fired; times in milliseconds since the epoch.

    Args:
        labels: Its labels, sorted.
        fired: The evaluation at which it fired, to the millisecond.
        last: The last evaluation at which it did.
        over: It has ended.
    """

    labels: Labels
    fired: int
    last: int
    over: bool

    @property
    def name(self) -> str:
        """The alert."""
        return dict(self.labels)[ALERTNAME]


def read_lives(prometheus: Prometheus, back: str, at: float, patience: int) -> list[FiredAlert]:
    """Ask a Prometheus what it fired.

    Args:
        prometheus: The one that evaluates the rules.
        back: How far to look back, as ``2h``.
        at: Until when, in seconds since the epoch.
        patience: An alert that was not seen firing for so many milliseconds has ended.
    """
    firing = prometheus.samples('ALERTS{alertstate="firing"}', back, at)
    active = prometheus.samples("ALERTS_FOR_STATE", back, at)
    return lives_of(firing, active, round(at * 1000) - patience)


def lives_of(firing: Samples, active: Samples, fresh: int) -> list[FiredAlert]:
    """Return the lives of alerts, in the order in which they fired.

    Prometheus notes in ALERTS_FOR_STATE since when an alert is active, so two lives differ in its value even where an
    evaluation is missing between two samples.

    Args:
        firing: Samples of ALERTS with the state ``firing``.
        active: Samples of ALERTS_FOR_STATE.
        fresh: What fired at this time (ms) or later has not ended.
    """
    found = []
    for series, samples in firing.items():
        labels = frozenset(pair for pair in series if pair != _STATE)
        since = dict(active.get(labels, ()))
        stretches: dict[float, list[int]] = {}
        for at, _ in samples:
            stretches.setdefault(since.get(at, 0.0), []).append(round(at * 1000))
        key = tuple(sorted(labels))
        found += [FiredAlert(key, times[0], times[-1], times[-1] < fresh) for times in stretches.values()]
    return sorted(found, key=lambda life: (life.fired, life.labels))
