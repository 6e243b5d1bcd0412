"""Exact duplicate removal: event ids are dense, so one flag per event says whether it was counted."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.fold.canonical import Bools, Ints

PAGE: Final = 1 << 15
"""Events per page; a page that has changed is written whole into the next checkpoint (4 KiB)."""


class SeenIds:
    """Which events of a run one partition has counted.

    One byte per event in memory (one bit would halve the speed), one bit in a checkpoint.

    Args:
        events: How many events the run has; ids are 0 … events - 1.
    """

    def __init__(self, events: int) -> None:
        pages = max(1, -(-events // PAGE))
        self._seen = np.zeros(pages * PAGE, np.bool_)
        self._changed = np.zeros(pages, np.bool_)

    def first(self, ids: Ints) -> Bools | None:
        """Mark ids as seen and tell which of them are seen for the first time; None stands for all of them."""
        if not len(ids):
            return None
        known = self._seen[ids]
        in_order = bool((ids[1:] > ids[:-1]).all())
        self._seen[ids] = True
        self._changed[np.unique(ids // PAGE) if not in_order else slice(ids[0] // PAGE, ids[-1] // PAGE + 1)] = True
        if in_order:
            return ~known if known.any() else None
        unique, first_at = np.unique(ids, return_index=True)
        if len(unique) == len(ids) and not known.any():
            return None
        first = np.zeros(len(ids), np.bool_)
        first[first_at] = True
        return first & ~known

    def pages(self, *, changed: bool) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Return page numbers and their bits: the pages changed since the last call, or all that are not empty."""
        by_page = self._seen.reshape(-1, PAGE)
        chosen = np.flatnonzero(self._changed if changed else by_page.any(axis=1))
        self._changed[:] = False
        return chosen, np.packbits(by_page[chosen], axis=1)

    def load(self, numbers: NDArray[np.int64], bits: NDArray[np.uint8]) -> None:
        """Put pages back."""
        self._seen.reshape(-1, PAGE)[numbers] = np.unpackbits(bits, axis=1).view(np.bool_)
