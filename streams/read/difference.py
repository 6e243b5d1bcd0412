"""The differences between an engine and the truth, both as of the same event time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from streams.contract.results import AUDIENCE_COUNTS, REACTION_COUNTS
from streams.read.derive import ResultsView
from streams.read.ledger import Running

HASHTAGS = "hashtags"
DURATIONS = "durations"
AUDIENCE, WAITING = "audience", "waiting"


@dataclass(frozen=True)
class Difference:
    """The differences of one engine.

    Args:
        greatest: The greatest absolute difference, by value: every count, ``hashtags``, ``durations``, ``audience`` and
            ``waiting``.
        total: The sum of the absolute differences, by count, ``hashtags`` and ``durations``.
        audience: The engine's live audience minus the truth's, by space.
    """

    greatest: dict[str, int]
    total: dict[str, int]
    audience: dict[str, int]


def difference(engine: ResultsView, truth: ResultsView, until: int) -> Difference:
    """Compare an engine's results with the truth over the first ``until`` windows of one run.

    Counts are compared window by window, hashtags and durations by their sums so far, live audience and waiting at the
    end of every window. Durations of an engine that publishes none do not differ.
    """
    counts = dict.fromkeys((*AUDIENCE_COUNTS, *REACTION_COUNTS, HASHTAGS, DURATIONS), 0)
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
    pairs: list[tuple[tuple[str, ...], str, Running, Running]] = []
    pairs += [(AUDIENCE_COUNTS, DURATIONS, engine.audience[name], truth.audience[name]) for name in engine.audience]
    pairs += [(REACTION_COUNTS, HASHTAGS, engine.reaction[name], truth.reaction[name]) for name in engine.reaction]
    published = any(running.extra.labels for running in engine.audience.values())
    for counts, further, mine, yours in pairs:
        if not mine.same(yours, len(counts), until):
            for count in counts:
                gaps = np.abs((mine.column(count) - yours.column(count)).known(until).changed()[1])
                yield count, int(gaps.max(initial=0)), int(gaps.sum())
        if further == HASHTAGS or published:
            yield further, *_extra(mine, yours, until)


def _extra(mine: Running, yours: Running, until: int) -> tuple[int, int]:
    one, other = mine.extra.totals(until), yours.extra.totals(until)
    if one == other:
        return 0, 0
    gaps = [abs(one.get(label, 0) - other.get(label, 0)) for label in one | other]
    return max(gaps), sum(gaps)
