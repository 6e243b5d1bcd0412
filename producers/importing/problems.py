"""What was wrong with a recording and what was made of it: counted by kind, the first few named."""

from dataclasses import dataclass, field
from typing import Final

EXAMPLES: Final = 3
"""How many of each kind are named."""

BACKWARDS: Final = "backwards"
JOINED_TWICE: Final = "joined_twice"
KNOCKED_INSIDE: Final = "knocked_inside"
LEFT_OUTSIDE: Final = "left_outside"
DROPPED_OUTSIDE: Final = "dropped_outside"
ELSEWHERE: Final = "elsewhere"
MOVED: Final = "moved"
UNANSWERED: Final = "unanswered"
UNASKED: Final = "unasked"
TRY: Final = "try"
SINCE_DROP: Final = "since_drop"
REASON: Final = "reason"
POST_TWICE: Final = "post_twice"

MEANING: Final = {
    BACKWARDS: "times that run backwards: put in order of time",
    JOINED_TWICE: "joins by somebody who is in that room: left out",
    KNOCKED_INSIDE: "attempts or fails of somebody who is in that room: left out",
    LEFT_OUTSIDE: "leaves of somebody who has not come: left out",
    DROPPED_OUTSIDE: "drops of somebody who is in no room: left out",
    ELSEWHERE: "leaves or drops from another room than the one they are in: left out",
    MOVED: "arrivals at another room without leaving the first: a leave (reason moved) put in before",
    UNANSWERED: "attempts that got no answer: a fail (reason unanswered) put in before the next event",
    UNASKED: "joins or fails without an attempt, in a file that has attempts: an attempt put in before",
    TRY: "values of try that do not fit the order of attempts: counted anew",
    SINCE_DROP: "values of since_drop_ms that do not fit the time of the drop: counted anew",
    REASON: "leaves whose reason does not fit (gave_up is for those who wait, and for nobody else): set right",
    POST_TWICE: "posts whose id was there before: left out",
}
"""Every kind of problem: what it is, and what is made of it."""


@dataclass
class Problems:
    """Counts by kind, and the first few examples of each."""

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, example: str, count: int = 1) -> None:
        """Take in one or more of a kind; the example is kept while there are few."""
        self.counts[kind] = self.counts.get(kind, 0) + count
        named = self.examples.setdefault(kind, [])
        if len(named) < EXAMPLES:
            named.append(example)

    def lines(self) -> list[str]:
        """Return one line per kind, in the order of ``MEANING``."""
        return [
            f"{self.counts[kind]} {meaning} ({'; '.join(self.examples[kind])}"
            f"{' …' if self.counts[kind] > len(self.examples[kind]) else ''})"
            for kind, meaning in MEANING.items()
            if kind in self.counts
        ]
