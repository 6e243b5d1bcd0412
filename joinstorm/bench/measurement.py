"""The measurement of one contender of a benchmark, and the clocks for it."""

import os
import resource
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal, TypeAlias

import msgspec

Rate: TypeAlias = Literal["per_second", "per_cpu_second", "cpu_us_per_event"]
"""A rate that every run has."""


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

    @property
    def cpu_us_per_event(self) -> float:
        """Microseconds of processor time per event."""
        return self.cpu_seconds / self.events * 1e6 if self.events else 0.0


@dataclass(frozen=True)
class Repeats:
    """One contender, measured one or more times.

    Args:
        name: The contender.
        runs: Its measurements, at least one.
    """

    name: str
    runs: tuple[Measurement, ...]

    @property
    def events(self) -> int:
        """Events processed in one run; the fewest, where some were stopped."""
        return min(one.events for one in self.runs)

    @property
    def complete(self) -> bool:
        """Whether every run processed the whole night."""
        return all(one.complete for one in self.runs)

    @property
    def per_second(self) -> float:
        """Median of the events per second of wall clock time."""
        return statistics.median(self._rates(attrgetter("per_second")))

    @property
    def per_cpu_second(self) -> float:
        """Median of the events per second of processor time."""
        return statistics.median(self._rates(attrgetter("per_cpu_second")))

    @property
    def cpu_us_per_event(self) -> float:
        """Median of the microseconds of processor time per event."""
        return statistics.median(self._rates(attrgetter("cpu_us_per_event")))

    def interval(self, rate: Rate = "per_cpu_second") -> tuple[float, float]:
        """Return the least and the most of a rate over the runs."""
        rates = self._rates(attrgetter(rate))
        return min(rates), max(rates)

    def _rates(self, rate: Callable[[Measurement], float]) -> list[float]:
        return [rate(one) for one in self.runs]


def cpu_seconds() -> float:
    """Return the processor time of this process, its threads and its children that have ended."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in found)


def stay_on_one_core() -> None:
    """Pin this process and its children to one core where the system can, so that threads give no advantage."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
