"""What run.info announces of a run's events, as kernels check it."""

from typing import NamedTuple

from streams.contract.runinfo import RunInfo
from streams.kernels.jit import inner


class Limits(NamedTuple):
    """An event beyond these is none of the run."""

    events: int
    people: int
    start: int
    end: int


def limits_of(info: RunInfo) -> Limits:
    """Return the limits of a run."""
    return Limits(info.events, info.people, info.start, info.end)


@inner
def within(limits: Limits, event_id: int, person: int, at: int) -> bool:
    """Return whether an event keeps to the limits; what is absent is negative and does not."""
    return 0 <= event_id < limits.events and 0 <= person < limits.people and limits.start <= at <= limits.end
