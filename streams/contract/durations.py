"""Durations in the results: how long people waited, counted in bins whose width grows with the duration.

A count ``time_to_join:4096`` holds how many durations lie in the bin that begins at 4,096 ms. A bin holds the durations
whose three leading binary digits are the same, so there are four bins to a doubling, and two durations of one bin
differ by less than 25 %. Counts of bins are additive, as all counts are: bins of windows, shards and engines add up.
"""

from typing import Final

TIME_TO_JOIN: Final = "time_to_join:"
"""From a person's first attempt to the first join, in the window of the join, under the space ``*``."""
TIME_TO_EXIT: Final = "time_to_exit:"
"""From a person's first attempt to a leave before any join, in the window of the leave, under the space ``*``."""
TIME_TO_REJOIN: Final = "time_to_rejoin:"
"""From a drop to the join after it in the same sitting, in the window of the join, under its space."""
DURATIONS: Final = (TIME_TO_JOIN, TIME_TO_EXIT, TIME_TO_REJOIN)
"""The families of counts; each is a prefix, followed by the first millisecond of a bin."""

_DIGITS: Final = 3
"""Leading binary digits that durations of one bin share."""


def bin_of(duration: int) -> int:
    """Return the first millisecond of the bin that holds a duration (ms, not negative)."""
    shift = _shift(duration)
    return duration >> shift << shift


def bin_end(begin: int) -> int:
    """Return the first millisecond after the bin that begins at ``begin``."""
    return begin + (1 << _shift(begin))


def _shift(duration: int) -> int:
    return max(0, duration.bit_length() - _DIGITS)


def is_duration(count: str) -> bool:
    """Whether a count of ``results.audience`` is one of durations."""
    return count.startswith(DURATIONS)
