"""Values that change in some windows of a night: memory follows the windows in which something happens."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Steps:
    """A value at the ends of windows; ``steps[k]`` is the value after the first k windows. Immutable.

    Args:
        windows: Positions of the windows in which it changes, ascending.
        values: The value before the first of them, then after each; one more than ``windows``.
    """

    windows: Ints
    values: Ints = field(repr=False)

    @overload
    def __getitem__(self, until: int) -> int: ...
    @overload
    def __getitem__(self, until: Ints) -> Ints: ...
    def __getitem__(self, until: int | Ints) -> int | Ints:
        """Return the value after the first ``until`` windows, or after each of several numbers of windows."""
        found = self.values[self.windows.searchsorted(until)]
        return found if isinstance(until, np.ndarray) else int(found)

    def __add__(self, other: "Steps") -> "Steps":
        """Return the sum of two values."""
        return combined([(self, 1), (other, 1)])

    def __sub__(self, other: "Steps") -> "Steps":
        """Return the difference of two values."""
        return combined([(self, 1), (other, -1)])

    def known(self, until: int) -> "Steps":
        """Return the value as if nothing changed after the first ``until`` windows."""
        place = int(self.windows.searchsorted(until))
        return Steps(self.windows[:place], self.values[: place + 1])

    def peak(self) -> tuple[int, int]:
        """Return the greatest value, and the least number of windows after which it is reached."""
        place = int(self.values.argmax())
        return int(self.values[place]), int(self.windows[place - 1]) + 1 if place else 0

    def farthest(self) -> int:
        """Return the greatest distance from zero."""
        return int(np.abs(self.values).max())

    def changed(self) -> tuple[Ints, Ints]:
        """Return the windows in which it changes, and by how much."""
        changes = np.diff(self.values)
        kept = changes.nonzero()[0]
        return self.windows[kept], changes[kept]


def combined(parts: Sequence[tuple[Steps, int]]) -> Steps:
    """Return the sum of values, each times a factor."""
    if not parts:
        return ZERO
    windows = parts[0][0].windows
    if all(one.windows is windows for one, _ in parts):  # the columns of one table
        return Steps(windows, np.add.reduce([factor * one.values for one, factor in parts]))
    places = np.concatenate([one.windows for one, _ in parts])
    order = np.argsort(places, kind="stable")
    changes = np.concatenate([factor * (one.values[1:] - one.values[:-1]) for one, factor in parts])[order]
    places = places[order]
    starts = np.flatnonzero(np.diff(places, prepend=-1))
    values = np.zeros(len(starts) + 1, np.int64)
    np.cumsum(np.add.reduceat(changes, starts) if len(starts) else changes, out=values[1:])
    return Steps(places[starts], values + sum(factor * int(one.values[0]) for one, factor in parts))


ZERO = Steps(np.zeros(0, np.int64), np.zeros(1, np.int64))
"""Nothing happens."""
