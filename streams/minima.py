"""The earliest time something happened to each person: a minimum, so order and repetition do not matter."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.canonical import Ints


class Lowered(NamedTuple):
    """Which minima fell: slots without repetition, with their times before and after."""

    slot: Ints
    before: Ints
    after: Ints


class Earliest:
    """One minimum per slot, in milliseconds since the start of the night.

    Args:
        slots: How many there are.
        span: The greatest time there can be; where it fits, a time takes four bytes.
    """

    def __init__(self, slots: int, span: int) -> None:
        kind = np.int32 if span < np.iinfo(np.int32).max else np.int64
        self.never: Final = int(np.iinfo(kind).max)
        """The time of a slot nothing has happened to."""
        self.times: NDArray[np.signedinteger[Any]] = np.full(slots, self.never, kind)

    def lower(self, slots: Ints, times: Ints) -> Lowered:
        """Take in times and return the slots whose minimum fell."""
        before = self.times[slots]
        better = np.flatnonzero(times < before)
        slots, times, before = slots[better], times[better].astype(self.times.dtype), before[better]
        np.minimum.at(self.times, slots, times)
        slots, at = np.unique(slots, return_index=True)
        return Lowered(slots, before[at].astype(np.int64), self.times[slots].astype(np.int64))
