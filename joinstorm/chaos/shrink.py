"""Shrinks a failing schedule to the fewest faults that still fail."""

from collections.abc import Callable, Sequence

from joinstorm.chaos.faultschedule import Fault


def shrink(faults: Sequence[Fault], fails: Callable[[Sequence[Fault]], bool]) -> list[Fault]:
    """Return a part of a failing schedule that passes as soon as any one of its faults is removed.

    Args:
        faults: A schedule for which ``fails`` holds.
        fails: Runs a schedule; whether it fails.
    """
    left = list(faults)
    index = 0
    while index < len(left):
        fewer = left[:index] + left[index + 1 :]
        if fewer and fails(fewer):
            left = fewer
        else:
            index += 1
    return left
