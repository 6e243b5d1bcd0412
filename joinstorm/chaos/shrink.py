"""Fewer faults that still fail: what is left is what somebody has to look at."""

from collections.abc import Callable, Sequence

from joinstorm.chaos.faultschedule import Fault


def shrink(faults: Sequence[Fault], fails: Callable[[Sequence[Fault]], bool]) -> list[Fault]:
    """Return a part of a failing schedule from which no single fault can be left out without it passing.

    Args:
        faults: A schedule for which ``fails`` holds.
        fails: Runs a schedule and says whether it fails.
    """
    left = list(faults)
    place = 0
    while place < len(left):
        fewer = left[:place] + left[place + 1 :]
        if fewer and fails(fewer):
            left = fewer
        else:
            place += 1
    return left
