"""Counts per tumbling window and name, with a note of which of them have changed."""

from typing import NamedTuple

import numpy as np

from streams.kernels.counting import Bools, WindowTable
from streams.kernels.record import Ints


class Rows(NamedTuple):
    """Some rows of a table of counts: window numbers, name numbers and the counts, one line each."""

    window: Ints
    name: Ints
    counts: Ints


class WindowCounts:
    """A table of counts: windows by names by kinds of count.

    Args:
        windows: How many windows the night has; window numbers are 0 … windows - 1.
        names: How many spaces or subjects, the one for "all" included.
        kinds: How many different counts.
    """

    def __init__(self, windows: int, names: int, kinds: int) -> None:
        shape = (windows, names)
        self.table = WindowTable(
            np.zeros((*shape, kinds), np.int64), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        )
        """What kernels count in."""
        self._known = np.zeros(shape, np.bool_)
        """Which rows have ever changed, but for those that are unsaved."""

    def take_unpublished(self) -> tuple[Rows, Bools]:
        """Return the rows changed since the last call, and a token that gives them back to ``not_published``."""
        taken = self.table.unpublished.copy()
        self.table.unpublished[:] = False
        return self._rows(taken), taken

    def not_published(self, taken: Bools) -> None:
        """Note that rows which had been taken did not reach the broker."""
        self.table.unpublished[taken] = True

    def take_unsaved(self, *, everything: bool) -> Rows:
        """Return the rows changed since the last call, or all that are not zero."""
        self._known |= self.table.unsaved
        taken = self._rows(self._known if everything else self.table.unsaved)
        self.table.unsaved[:] = False
        return taken

    def load(self, rows: Rows) -> None:
        """Put rows back."""
        self.table.counts[rows.window, rows.name] = rows.counts
        self._known[rows.window, rows.name] = True

    def _rows(self, taken: Bools) -> Rows:
        window, name = (np.ascontiguousarray(numbers) for numbers in np.nonzero(taken))
        return Rows(window, name, self.table.counts[window, name])
