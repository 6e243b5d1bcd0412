"""The differences between an engine and the truth, both as of the same event time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from streams.contract import breakdowns, durations
from streams.contract.names import ALL
from streams.contract.results import AUDIENCE_COUNTS, REACTION_COUNTS
from streams.read.derive import LIVE, ResultsView
from streams.read.ledger import Running
from streams.read.steps import Ints

HASHTAGS = "hashtags"
DURATIONS, BREAKDOWNS = "durations", "breakdowns"
AUDIENCE, WAITING = "audience", "waiting"
_OPTIONAL: Final = {DURATIONS: durations.DURATIONS, BREAKDOWNS: breakdowns.BREAKDOWNS}
"""Families of counts that an engine need not publish."""
_LIVE = np.array([LIVE.get(count, 0) for count in AUDIENCE_COUNTS])


@dataclass(frozen=True)
class Difference:
    """The differences of one engine.

    Args:
        greatest: The greatest absolute difference, by value: every count, ``hashtags``, ``durations``, ``breakdowns``,
            ``audience`` and ``waiting``.
        total: The sum of the absolute differences, by count, ``hashtags``, ``durations`` and ``breakdowns``.
        audience: The engine's live audience minus the truth's, by space.
    """

    greatest: dict[str, int]
    total: dict[str, int]
    audience: dict[str, int]


def difference(engine: ResultsView, truth: ResultsView, until: int) -> Difference:
    """Compare an engine's results with the truth over the first ``until`` windows of one run.

    Counts are compared window by window, hashtags, durations and breakdowns by their sums so far, live audience and
    waiting at the end of every window. Durations or breakdowns do not differ if the engine publishes none of them.
    """
    found = _Gaps(engine.spaces)
    published = [
        (kind, families)
        for kind, families in _OPTIONAL.items()
        if any(label.startswith(families) for running in engine.audience.values() for label in running.extra.labels)
    ]
    for name, running in engine.audience.items():
        if (gaps := found.add(AUDIENCE_COUNTS, running, truth.audience[name], until)) is not None and name != ALL:
            found.add_live(name, _LIVE @ gaps)
        found.add_further(published, running, truth.audience[name], until)
    for name, running in engine.reaction.items():
        found.add(REACTION_COUNTS, running, truth.reaction[name], until)
        found.add_further([(HASHTAGS, ("",))], running, truth.reaction[name], until)
    found.greatest[WAITING] = (engine.waiting - truth.waiting).known(until).farthest()
    return Difference(found.greatest, found.total, found.audience)


class _Gaps:
    """What is known of the differences; nothing differs at first."""

    def __init__(self, spaces: Sequence[str]) -> None:
        self.total = dict.fromkeys((*AUDIENCE_COUNTS, *REACTION_COUNTS, HASHTAGS, DURATIONS, BREAKDOWNS), 0)
        self.greatest = {**self.total, AUDIENCE: 0, WAITING: 0}
        self.audience = dict.fromkeys(spaces, 0)

    def add(self, counts: Sequence[str], mine: Running, yours: Running, until: int) -> Ints | None:
        """Add a space or subject; return how far its sums are apart, a row for each count, None if they are equal."""
        if mine.same(yours, len(counts), until):
            return None
        gaps = mine.gaps(yours, len(counts), until)
        for count, changes in zip(counts, np.abs(np.diff(gaps, axis=1)), strict=True):
            self.note(count, changes)
        return gaps

    def add_live(self, space: str, gaps: Ints) -> None:
        """Add how far the live audiences of a space are apart at the ends of windows."""
        self.greatest[AUDIENCE] = max(self.greatest[AUDIENCE], int(np.abs(gaps).max()))
        self.audience[space] = int(gaps[-1])

    def add_further(
        self, kinds: Sequence[tuple[str, tuple[str, ...]]], mine: Running, yours: Running, until: int
    ) -> None:
        """Add counts without a column, by kind; the labels of a kind begin with one of its families."""
        one, other = mine.extra.totals(until), yours.extra.totals(until)
        if one != other:
            for kind, families in kinds:
                labels = [label for label in one | other if label.startswith(families)]
                self.note(kind, np.array([abs(one.get(label, 0) - other.get(label, 0)) for label in labels], np.int64))

    def note(self, value: str, sizes: Ints) -> None:
        """Note the sizes of some differences."""
        if len(sizes):
            self.greatest[value] = max(self.greatest[value], int(sizes.max()))
            self.total[value] += int(sizes.sum())
