"""What did not fit in a recording and what the import did about it: counted by kind, the first few named."""

from dataclasses import dataclass, field
from typing import Final

EXAMPLES: Final = 3
"""Named of each kind."""

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
OVERLAPPING: Final = "overlapping"
LONG_TAG: Final = "long_tag"
IGNORED: Final = "ignored"
"""Why a row is left out whose kind is mapped to ``ignore``; no problem."""

MEANING: Final = {
    BACKWARDS: "times that run backwards: put in order of time",
    JOINED_TWICE: "joins of a listener who is in that room already: left out",
    KNOCKED_INSIDE: "attempts or fails of a listener who is in that room already: left out",
    LEFT_OUTSIDE: "leaves of a listener who has not come: left out",
    DROPPED_OUTSIDE: "drops of a listener who is in no room: left out",
    ELSEWHERE: "leaves or drops from another room than the listener's: left out",
    OVERLAPPING: "stays that overlap another one of the same listener in the same room: one stay",
    MOVED: "arrivals in another room without leaving the first: a leave (reason moved) put in before",
    UNANSWERED: "attempts without an answer: a fail (reason unanswered) put in before the next event",
    UNASKED: "joins or fails without an attempt, in a file that has attempts: an attempt put in before",
    TRY: "values of try that do not fit the order of attempts: counted again",
    SINCE_DROP: "values of since_drop_ms that do not fit the time of the drop: counted again",
    REASON: "leaves whose reason does not fit (only waiting listeners give up): corrected",
    LONG_TAG: "posts with hashtags of more than 200 letters: those hashtags left out",
    POST_TWICE: "posts whose id came before: left out",
}
"""Every kind of problem: what it is, and what the import does about it."""


@dataclass
class ProblemLog:
    """Counts by kind, the first few examples of each, and why each row that is left out is."""

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)
    left_out: dict[tuple[int, int], str] = field(default_factory=dict)
    """First reason by number of file and row; a row of two events may still be used for the other one."""

    def add(self, kind: str, example: str, count: int = 1) -> None:
        """Count one or more of a kind; the example is kept while there are few."""
        self.counts[kind] = self.counts.get(kind, 0) + count
        named = self.examples.setdefault(kind, [])
        if len(named) < EXAMPLES:
            named.append(example)

    def leave_out(self, kind: str, example: str, file: int, row: int) -> None:
        """Count an event that is left out, and remember its row."""
        self.add(kind, example)
        self.left_out.setdefault((file, row), kind)

    def lines(self) -> list[str]:
        """Return one line per kind, in the order of ``MEANING``."""
        return [
            f"{self.counts[kind]} {meaning} ({'; '.join(self.examples[kind])}"
            f"{' …' if self.counts[kind] > len(self.examples[kind]) else ''})"
            for kind, meaning in MEANING.items()
            if kind in self.counts
        ]
