"""What Prometheus makes of an alert's expression: pending, firing, kept firing, resolved; pure.

The states are those of ``AlertingRule.Eval``: an alert is pending from the first evaluation at which its expression has
a value, fires at the first one that is at least ``for`` later without a gap in between, and resolves at the first one
without a value that is at least ``keep_firing_for`` after the first one without. A pending alert with a gap is
forgotten.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LabelPairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class AlertLife:
    """One life of an alert; all moments are numbers of evaluations.

    Args:
        active: Its expression got a value.
        fires: It fired; equal to ``ends`` where it never did.
        ends: The first evaluation at which it was gone; one past the last evaluation where it never was.
    """

    active: int
    fires: int
    ends: int

    @property
    def fired(self) -> bool:
        """Whether it got beyond pending."""
        return self.fires < self.ends


def stretches(held: Iterable[int], evaluations: int, interval: int, hold: int, keep: int) -> list[AlertLife]:
    """Return the lives of one alert.

    Args:
        held: The evaluations at which its expression has a value, growing.
        evaluations: How many there are.
        interval: Milliseconds between two.
        hold: ``for`` in milliseconds.
        keep: ``keep_firing_for`` in milliseconds.
    """
    waits = -(-hold // interval)
    kept = -(-keep // interval)
    found: list[AlertLife] = []
    for first, after in _runs(np.fromiter(held, np.int64)):
        last = found[-1] if found else None
        if last is not None and last.fired and first <= last.ends:  # kept firing until it holds again
            found[-1] = AlertLife(last.active, last.fires, min(after + kept, evaluations))
        elif first + waits < after:
            found.append(AlertLife(first, first + waits, min(after + kept, evaluations)))
        else:
            found.append(AlertLife(first, after, after))
    return found


def _runs(held: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield the start of each run of consecutive numbers, and one past its end."""
    if not len(held):
        return
    breaks = np.flatnonzero(np.diff(held) != 1)
    firsts, lasts = held[np.r_[0, breaks + 1]], held[np.r_[breaks, len(held) - 1]]
    yield from ((int(first), int(last) + 1) for first, last in zip(firsts, lasts, strict=True))


def merged(lives: Iterable[Sequence[AlertLife]]) -> list[tuple[int, int]]:
    """Return the stretches in which at least one of several alerts fires, as first evaluation and one past the last."""
    firing = sorted((one.fires, one.ends) for life in lives for one in life if one.fired)
    found: list[tuple[int, int]] = []
    for first, after in firing:
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(after, found[-1][1]))
        else:
            found.append((first, after))
    return found
