"""Bins of durations as small numbers, and how a listener's first wait ended."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.contract.durations import DURATIONS
from streams.kernels.jit import inner

_BITS: Final = 53
"""Times of events have at most so many."""
BINS: Final = 4 * (_BITS - 3) + 8
"""Bins of one family: one for each duration below 8 ms, then four to a doubling."""
TO_JOIN, TO_EXIT, TO_REJOIN = range(len(DURATIONS))
ATTEMPTED, LEFT, JOINED, TIMES = range(4)
"""Columns of a listener's times: first attempt, first leave, first join anywhere; then how many there are."""


def _begin(number: int) -> int:
    shift = max(0, number // 4 - 1)
    return (number - 4 * shift) << shift


LABELS: Final = tuple(f"{family}{_begin(number)}" for family in DURATIONS for number in range(BINS))
"""The counts of all bins, by ``label``."""


@inner
def label(family: Any, duration: Any) -> Any:
    """Return the number of the count that holds a duration."""
    shift, rest = 0, duration >> 3
    while rest:
        shift += 1
        rest >>= 1
    return family * BINS + 4 * shift + (duration >> shift)


@inner
def end_of_wait(times: NDArray[Any], person: Any, never: Any) -> tuple[Any, Any]:
    """Return when a listener's first wait ended, -1 if it has not, and the number of the count that holds it."""
    attempted, joined, left = np.int64(times[person, ATTEMPTED]), np.int64(times[person, JOINED]), times[person, LEFT]
    end = min(joined, np.int64(left))
    if end == never or attempted > end:
        return np.int64(-1), np.int64(0)
    return end, label(TO_JOIN if joined <= left else TO_EXIT, end - attempted)
