"""The measurement of one contender of a benchmark, and the clocks for it."""

import os
import resource

import msgspec


class Measurement(msgspec.Struct, frozen=True):
    """The measurement of one contender.

    Args:
        name: The contender.
        events: Events processed.
        seconds: Wall clock time from the first event to the last.
        cpu_seconds: Processor time of its process and its children, their imports included.
        complete: Whether it processed the whole night; false when it was stopped after its time.
    """

    name: str
    events: int
    seconds: float
    cpu_seconds: float
    complete: bool = True

    @property
    def per_second(self) -> float:
        """Events per second of wall clock time."""
        return self.events / self.seconds if self.seconds else 0.0

    @property
    def per_cpu_second(self) -> float:
        """Events per second of processor time."""
        return self.events / self.cpu_seconds if self.cpu_seconds else 0.0


def cpu_seconds() -> float:
    """Return the processor time of this process, its threads and its children that have ended."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in found)


def stay_on_one_core() -> None:
    """Pin this process and its children to one core where the system can, so that threads give no advantage."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
