"""The differences between an engine and the truth, both as of the same event time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from streams.contract import breakdowns, durations
from streams.contract.results import AUDIENCE_COUNTS, REACTION_COUNTS, Counts
from streams.read.derive import ResultsView
from streams.read.ledger import Running

HASHTAGS = "hashtags"
DURATIONS, BREAKDOWNS = "durations", "breakdowns"
AUDIENCE, WAITING = "audience", "waiting"
_OPTIONAL: Final = {DURATIONS: durations.DURATIONS, BREAKDOWNS: breakdowns.BREAKDOWNS}
"""Families of counts that an engine need not publish."""


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
    counts = dict.fromkeys((*AUDIENCE_COUNTS, *REACTION_COUNTS, HASHTAGS, DURATIONS, BREAKDOWNS), 0)
    greatest, total = {**counts, AUDIENCE: 0, WAITING: 0}, counts
    for count, largest, summed in _counts(engine, truth, until):
        greatest[count] = max(greatest[count], largest)
        total[count] += summed
    now: dict[str, int] = {}
    for space in engine.spaces:
        gap = (engine.live(space) - truth.live(space)).known(until)
        greatest[AUDIENCE] = max(greatest[AUDIENCE], gap.farthest())
        now[space] = gap[until]
    greatest[WAITING] = (engine.waiting - truth.waiting).known(until).farthest()
    return Difference(greatest, total, now)


def _counts(engine: ResultsView, truth: ResultsView, until: int) -> Iterator[tuple[str, int, int]]:
    """Yield every count of every space or subject with its greatest and summed absolute difference."""
    pairs: list[tuple[Sequence[str], Sequence[str], Running, Running]] = []
    published = [
        kind
        for kind, families in _OPTIONAL.items()
        if any(label.startswith(families) for running in engine.audience.values() for label in running.extra.labels)
    ]
    pairs += [(AUDIENCE_COUNTS, published, engine.audience[name], truth.audience[name]) for name in engine.audience]
    pairs += [(REACTION_COUNTS, [HASHTAGS], engine.reaction[name], truth.reaction[name]) for name in engine.reaction]
    for counts, further, mine, yours in pairs:
        if not mine.same(yours, len(counts), until):
            for count in counts:
                gaps = np.abs((mine.column(count) - yours.column(count)).known(until).changed()[1])
                yield count, int(gaps.max(initial=0)), int(gaps.sum())
        one, other = mine.extra.totals(until), yours.extra.totals(until)
        if one != other:
            for kind in further:
                yield kind, *_extra(one, other, _OPTIONAL.get(kind, ("",)))


def _extra(mine: Counts, yours: Counts, families: tuple[str, ...]) -> tuple[int, int]:
    labels = [label for label in mine | yours if label.startswith(families)]
    gaps = [abs(mine.get(label, 0) - yours.get(label, 0)) for label in labels]
    return max(gaps, default=0), sum(gaps)
