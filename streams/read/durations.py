"""Durations as of event times: the counts of bins, and quantiles interpolated within a bin.

Everything is computed for many moments at a time; a moment is the number of windows that lie before it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from streams.contract.durations import DURATIONS, bin_end
from streams.read.ledger import Sparse
from streams.read.steps import Ints

Floats: TypeAlias = NDArray[np.float64]
_FROM_ZERO: Final = np.zeros(1, np.int64)


@dataclass(frozen=True, eq=False)
class Bins:
    """The counts of some bins.

    Args:
        begins: First millisecond of each bin, ascending.
        counts: Durations in each bin at each moment; shape (bins, moments).
    """

    begins: Ints
    counts: Ints = field(repr=False)

    def totals(self) -> Ints:
        """Return the number of durations at each moment."""
        totals: Ints = self.counts.sum(axis=0)
        return totals

    def below(self, bound: int) -> Ints:
        """Return the number of durations below a bound (ms), at which a bin has to begin."""
        return Bins(self.begins, self.counts[self.begins < bound]).totals()

    def quantile(self, share: float) -> Floats:
        """Return the duration (ms) that a share of the durations do not exceed, NaN where there are none.

        Durations are taken to lie evenly in their bin, as PromQL's ``histogram_quantile`` takes them.
        """
        if not len(self.begins):
            return np.full(self.counts.shape[1], np.nan)
        ends = np.array([bin_end(begin) for begin in self.begins.tolist()])
        sums = self.counts.cumsum(axis=0)
        rank = share * sums[-1]
        place = (sums >= rank).argmax(axis=0)
        inside = np.take_along_axis(self.counts, place[None], axis=0)[0]
        before = np.take_along_axis(sums, place[None], axis=0)[0] - inside
        with np.errstate(invalid="ignore"):
            share_of_bin = (rank - before) / np.where(sums[-1] > 0, inside, np.nan)
        durations: Floats = self.begins[place] + (ends - self.begins)[place] * share_of_bin
        return durations


@dataclass(frozen=True, eq=False)
class Durations:
    """All counts of one family of ``streams.contract.durations``, over all spaces.

    Args:
        bins: By first millisecond, ascending: the windows in which the count of a bin changes, and the sums after them,
            preceded by 0.
    """

    bins: Mapping[int, tuple[Ints, Ints]] = field(repr=False)

    def so_far(self, until: Ints) -> Bins:
        """Return the counts over the first ``until`` windows, for each moment."""
        counts = [sums[np.searchsorted(windows, until)] for windows, sums in self.bins.values()]
        table = np.stack(counts) if counts else np.zeros((0, len(until)), np.int64)
        return Bins(np.array(list(self.bins), np.int64), table)

    def between(self, since: Ints, until: Ints) -> Bins:
        """Return the counts over the windows from ``since`` to before ``until``, for each moment."""
        whole = self.so_far(until)
        return Bins(whole.begins, whole.counts - self.so_far(since).counts)


def durations_of(spaces: Iterable[Sparse]) -> dict[str, Durations]:
    """Return the durations by family, from the counts of every space that have no column."""
    changes: dict[str, dict[int, list[tuple[Ints, Ints]]]] = {family: {} for family in DURATIONS}
    for counts in spaces:
        for label, windows, added in counts.each(DURATIONS):
            family, _, begin = label.partition(":")
            changes[f"{family}:"].setdefault(int(begin), []).append((windows, added))
    return {
        family: Durations({begin: _steps(parts) for begin, parts in sorted(found.items())})
        for family, found in changes.items()
    }


def _steps(parts: list[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    windows, changes = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(windows, kind="stable")
    return windows[order], np.concatenate((_FROM_ZERO, np.cumsum(changes[order])))
