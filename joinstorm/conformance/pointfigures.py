"""How far an engine's counts are from the expected ones; no I/O."""

from dataclasses import dataclass

from joinstorm.verdict.comparison import NO_COUNTS, Comparison, compare
from streams.contract.runinfo import RunInfo
from streams.read.derive import FinalCounts


@dataclass(frozen=True)
class PointFigures:
    """A comparison, and the total of its differences.

    Args:
        comparison: Count by count.
        off_by: Sum of the absolute differences.
        counted: Sum of all expected counts.
    """

    comparison: Comparison
    off_by: int
    counted: int


def measure(counts: FinalCounts, expected: FinalCounts, info: RunInfo) -> PointFigures:
    """Compare final counts and add up the differences."""
    off_by = counted = 0
    for found, wanted in ((counts.audience, expected.audience), (counts.reaction, expected.reaction)):
        for key in found.keys() | wanted.keys():
            have, want = found.get(key, NO_COUNTS), wanted.get(key, NO_COUNTS)
            off_by += sum(abs(have.get(count, 0) - want.get(count, 0)) for count in have.keys() | want.keys())
            counted += sum(want.values())
    return PointFigures(compare(counts, expected, info), off_by, counted)


def until(tables: FinalCounts, last: int) -> FinalCounts:
    """Return the counts of the windows that begin at or before ``last``."""
    return FinalCounts(
        {key: counts for key, counts in tables.audience.items() if key[0] <= last},
        {key: counts for key, counts in tables.reaction.items() if key[0] <= last},
        {},
    )
