"""The earliest time something happened to each person: a minimum, so order and repetition do not matter."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.fold.canonical import Bools, Ints


class Lowered(NamedTuple):
    """Which minima fell: slots without repetition, with their times before and after."""

    slot: Ints
    before: Ints
    after: Ints


class Distinct:
    """Finds repetition among slots without sorting them: every row writes its number, who reads their own was last.

    Args:
        slots: How many there are.
    """

    def __init__(self, slots: int) -> None:
        self._row = np.zeros(slots, np.int32)

    def last(self, slots: Ints) -> Bools:
        """Return a mask with exactly one row per slot: its last."""
        rows = np.arange(len(slots), dtype=np.int32)
        self._row[slots] = rows
        last: Bools = self._row[slots] == rows
        return last


class Earliest:
    """One minimum per slot, in milliseconds since the start of the night.

    Args:
        slots: How many there are.
        span: The greatest time there can be; where it fits, a time takes four bytes.
        distinct: Scratch space over the same slots, to be shared.
    """

    def __init__(self, slots: int, span: int, distinct: Distinct) -> None:
        kind = np.int32 if span < np.iinfo(np.int32).max else np.int64
        self.never: Final = int(np.iinfo(kind).max)
        """The time of a slot nothing has happened to."""
        self.times: NDArray[np.signedinteger[Any]] = np.full(slots, self.never, kind)
        self._distinct = distinct

    def lower(self, slots: Ints, times: Ints) -> Lowered:
        """Take in times and return the slots whose minimum fell."""
        before = self.times[slots]
        better = np.flatnonzero(times < before)
        slots, times, before = slots[better], times[better], before[better]
        once = self._distinct.last(slots)
        if once.all():
            self.times[slots] = times
            return Lowered(slots, before.astype(np.int64), times)
        np.minimum.at(self.times, slots, times.astype(self.times.dtype))
        slots, before = slots[once], before[once]
        return Lowered(slots, before.astype(np.int64), self.times[slots].astype(np.int64))
