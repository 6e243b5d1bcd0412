"""The outcome of a schedule: the recovery after each fault, the verdict, and the events lost or counted twice."""

from dataclasses import dataclass, field
from typing import Final

import msgspec

from joinstorm.chaos.faultschedule import Fault
from joinstorm.verdict.verdicts import Verdict
from streams.read.derive import FinalCounts

ONE_EACH: Final = {
    "audience": ("attempts", "joins", "fails", "drops", "leaves", "give_ups"),
    "reaction": ("posts", "replies", "quotes", "reposts"),
}
"""Counts such that every event is in exactly one of them."""


class Loss(msgspec.Struct, frozen=True):
    """Events missing from an engine's counts, and events counted more than once, window by window.

    Within one window, name and count the two cancel out, so both are lower bounds.
    """

    events: int
    """Events in the truth."""
    lost: int
    twice: int

    def __str__(self) -> str:
        """Return the loss as text."""
        share = self.lost / self.events if self.events else 0.0
        return f"{self.lost:,} of {self.events:,} events lost ({share:.1%}), {self.twice:,} counted twice"


def loss_of(engine: FinalCounts, truth: FinalCounts) -> Loss:
    """Compare the counts that every event is in exactly once with the truth's."""
    events = lost = twice = 0
    for counted, true, counts in (
        (engine.audience, truth.audience, ONE_EACH["audience"]),
        (engine.reaction, truth.reaction, ONE_EACH["reaction"]),
    ):
        for key in counted.keys() | true.keys():
            for count in counts:
                have, want = counted.get(key, {}).get(count, 0), true.get(key, {}).get(count, 0)
                events += want
                lost += max(0, want - have)
                twice += max(0, have - want)
    return Loss(events, lost, twice)


@dataclass
class FaultOutcome:
    """What came of one injected fault.

    Args:
        fault: The fault.
        counted: Events the engine had counted by then.
        begun: When it was injected, monotonic seconds.
        left: Events still to be counted.
        recovered: Seconds until the engine counted a new event; None if it never did, or had counted everything.
    """

    fault: Fault
    counted: int
    begun: float
    left: int
    recovered: float | None = None


@dataclass
class ChaosResult:
    """The outcome of one schedule.

    Args:
        verdict: The engine's final counts compared with the truth.
        loss: The events they miss or count twice.
        outcomes: The faults, in the order in which they were injected.
        problem: Why the run did not end; empty if it did.
    """

    verdict: Verdict
    loss: Loss
    outcomes: list[FaultOutcome] = field(default_factory=list)
    problem: str = ""

    @property
    def exact(self) -> bool:
        """Whether the run ended with the truth's counts, and went on after every fault."""
        return self.verdict.exact and not self.problem and not self.stuck()

    def stuck(self) -> list[Fault]:
        """Return the faults after which nothing more was counted although events were left."""
        return [outcome.fault for outcome in self.outcomes if outcome.left and outcome.recovered is None]

    def recoveries(self) -> list[float]:
        """Return the seconds of every recovery observed."""
        return [outcome.recovered for outcome in self.outcomes if outcome.recovered is not None]
