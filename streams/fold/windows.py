"""Counts per tumbling window and name, with a note of which of them have changed."""

from typing import Final, NamedTuple

import numpy as np

from streams.fold.growing import longer
from streams.kernels.counting import WindowTable
from streams.kernels.record import Ints
from streams.kernels.rows import rows_of, with_room

_FEW: Final = 1_024


class Rows(NamedTuple):
    """Some rows of a table of counts, one line each."""

    row: Ints
    """Row numbers; a row keeps its number."""
    window: Ints
    name: Ints
    counts: Ints


class WindowCounts:
    """A table of counts: a row for each window and name that has any, a column for each kind of count.

    Args:
        names: How many spaces or subjects, the one for "all" included; name numbers are 0 … names - 1.
        kinds: How many different counts.
        most: The greatest count there can be; where it fits, a count takes four bytes.
    """

    def __init__(self, names: int, kinds: int, most: int) -> None:
        kind = np.int32 if most < np.iinfo(np.int32).max else np.int64
        flags = (np.zeros(_FEW, np.bool_), np.zeros(_FEW, np.bool_))
        self.table = WindowTable(with_room(None, _FEW), names, np.zeros((_FEW, kinds), kind), *flags)
        """What kernels count in."""

    def make_room(self, rows: int) -> None:
        """Have room for so many new rows."""
        table = self.table
        needed, room = int(table.rows.used[0]) + rows, len(table.rows.keys)
        if needed > room:
            size = max(2 * room, needed)
            self.table = WindowTable(
                with_room(table.rows, size),
                table.names,
                longer(table.counts, size),
                longer(table.unpublished, size),
                longer(table.unsaved, size),
            )

    def take_unpublished(self) -> tuple[Rows, Ints]:
        """Return the rows changed since the last call, and a token that gives them back to ``not_published``."""
        taken = np.flatnonzero(self.table.unpublished)
        self.table.unpublished[taken] = False
        return self._rows(taken), taken

    def not_published(self, taken: Ints) -> None:
        """Note that rows which had been taken did not reach the broker."""
        self.table.unpublished[taken] = True

    def take_unsaved(self, *, everything: bool) -> Rows:
        """Return the rows changed since the last call, or all there are."""
        unsaved = np.flatnonzero(self.table.unsaved)
        self.table.unsaved[unsaved] = False
        return self._rows(np.arange(self.table.rows.used[0]) if everything else unsaved)

    def load(self, window: Ints, name: Ints, counts: Ints) -> Ints:
        """Put rows back and return their numbers."""
        self.make_room(len(window))
        row = np.empty(len(window), np.int64)
        rows_of(self.table.rows, window.astype(np.int64) * self.table.names + name, row)
        self.table.counts[row] = counts
        return row

    def _rows(self, taken: Ints) -> Rows:
        """Return rows in the order of windows and names."""
        keys = self.table.rows.keys[taken]
        order = np.argsort(keys, kind="stable")
        window, name = np.divmod(keys[order], self.table.names)
        return Rows(taken[order], window, name, self.table.counts[taken[order]])
