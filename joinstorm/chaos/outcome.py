"""What came of a schedule: each fault with its recovery, the verdict, and in numbers what was lost or counted twice."""

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
"""Counts of which every event is in exactly one."""


class Loss(msgspec.Struct, frozen=True):
    """Events missing from an engine's counts, and events counted more than once, window by window.

    Within one window, name and count the two cancel each other, so both are at least what is said.
    """

    events: int
    """Events there are."""
    lost: int
    twice: int

    def __str__(self) -> str:
        """Return the numbers in words."""
        share = self.lost / self.events if self.events else 0.0
        return f"{self.lost:,} of {self.events:,} events lost ({share:.1%}), {self.twice:,} counted twice"


def loss_of(engine: FinalCounts, truth: FinalCounts) -> Loss:
    """Hold the counts that every event is in once against the truth's."""
    events = lost = twice = 0
    for mine, wanted, counts in (
        (engine.audience, truth.audience, ONE_EACH["audience"]),
        (engine.reaction, truth.reaction, ONE_EACH["reaction"]),
    ):
        for key in mine.keys() | wanted.keys():
            for count in counts:
                have, want = mine.get(key, {}).get(count, 0), wanted.get(key, {}).get(count, 0)
                events += want
                lost += max(0, want - have)
                twice += max(0, have - want)
    return Loss(events, lost, twice)


@dataclass
class FaultOutcome:
    """A fault that was dealt.

    Args:
        fault: Which.
        counted: Events the engine had counted.
        begun: When, monotonic seconds.
        left: Events that were still to be counted.
        recovered: Seconds until the engine had counted something new, None if it never did or had counted everything.
    """

    fault: Fault
    counted: int
    begun: float
    left: int
    recovered: float | None = None


@dataclass
class ChaosResult:
    """What came of one schedule.

    Args:
        verdict: The engine's final counts held against the truth.
        loss: What they miss and what they have twice.
        blows: The faults, in the order in which they were dealt.
        problem: Why the run did not come to its end, empty if it did.
    """

    verdict: Verdict
    loss: Loss
    blows: list[FaultOutcome] = field(default_factory=list)
    problem: str = ""

    @property
    def exact(self) -> bool:
        """Whether the run came to its end with the truth's counts, and went on after every fault."""
        return self.verdict.exact and not self.problem and not self.stuck()

    def stuck(self) -> list[Fault]:
        """Return the faults after which nothing more was counted although there was something left."""
        return [blow.fault for blow in self.blows if blow.left and blow.recovered is None]

    def recoveries(self) -> list[float]:
        """Return the seconds of every recovery that was seen."""
        return [blow.recovered for blow in self.blows if blow.recovered is not None]
