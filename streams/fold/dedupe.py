"""Exact duplicate removal: event ids are dense, so one bit per event says whether it was counted."""

import numpy as np
from numpy.typing import NDArray

from streams.kernels.counting import PAGE_BITS, Bools, first_seen
from streams.kernels.record import Ints


class SeenIds:
    """Which events of a run one partition has counted; a page of bits that has changed is written whole (4 KiB).

    Args:
        events: How many events the run has; ids are 0 … events - 1.
    """

    def __init__(self, events: int) -> None:
        pages = max(1, -(-events >> PAGE_BITS))
        self._seen = np.zeros((pages, (1 << PAGE_BITS) // 8), np.uint8)
        self._changed = np.zeros(pages, np.bool_)

    def first(self, ids: Ints, ok: Bools) -> tuple[Bools, int]:
        """Note the ids of rows that are ``ok``; return which and how many of them are seen for the first time."""
        first = np.empty(len(ids), np.bool_)
        return first, first_seen(ids, ok, self._seen.reshape(-1), self._changed, first)

    def pages(self, *, changed: bool) -> tuple[Ints, NDArray[np.uint8]]:
        """Return page numbers and their bits: the pages changed since the last call, or all that are not empty."""
        chosen = np.flatnonzero(self._changed if changed else self._seen.any(axis=1))
        self._changed[:] = False
        return chosen, self._seen[chosen]

    def load(self, numbers: Ints, bits: NDArray[np.uint8]) -> None:
        """Put pages back."""
        self._seen[numbers] = bits
