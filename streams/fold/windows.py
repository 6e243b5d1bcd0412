"""Counts per tumbling window and name, with a note of which of them have changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.contract.results import Counts
from streams.fold.canonical import Bools, Ints


class Changed(NamedTuple):
    """The counts of one window and one space or subject, as they are now."""

    window: int
    """Start of the window, milliseconds since the epoch."""
    name: str
    counts: Counts
    estimates: Counts


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a table of counts: window numbers, name numbers and the counts, one line each."""

    window: Ints
    name: Ints
    counts: Ints


def worded(table: Ints, words: Sequence[str]) -> list[Counts]:
    """Return each line of a table of counts by the words of its columns, zeros left out."""
    found: list[Counts] = [{} for _ in range(len(table))]
    line, column = np.nonzero(table)
    for row, word, value in zip(line.tolist(), column.tolist(), table[line, column].tolist(), strict=True):
        found[row][words[word]] = value
    return found


class WindowCounts:
    """A table of counts: windows by names by kinds of count.

    Args:
        windows: How many windows the night has; window numbers are 0 … windows - 1.
        names: How many spaces or subjects, the one for "all" included.
        kinds: How many different counts.
    """

    def __init__(self, windows: int, names: int, kinds: int) -> None:
        self._counts = np.zeros((windows, names, kinds), np.int64)
        self._unpublished = np.zeros((windows, names), np.bool_)
        self._unsaved = np.zeros((windows, names), np.bool_)

    def count(self, window: Ints, name: NDArray[np.integer], kind: NDArray[np.integer]) -> None:
        """Count one event each."""
        if not len(window):
            return
        low, high = int(window.min()), int(window.max())
        _, names, kinds = self._counts.shape
        shape = (high - low + 1, names, kinds)
        cell = ((window - low) * names + name) * kinds + kind
        added = np.bincount(cell, minlength=shape[0] * names * kinds).reshape(shape)
        self._counts[low : high + 1] += added
        touched = added.any(axis=2)
        self._unpublished[low : high + 1] |= touched
        self._unsaved[low : high + 1] |= touched

    def move(self, name: int | Ints, kind: int, before: Ints, after: Ints) -> None:
        """Take one each out of the windows ``before`` and put it into the windows ``after``; -1 stands for none."""
        for window, sign in ((before, -1), (after, 1)):
            rows = np.flatnonzero((window >= 0) & (before != after))
            if len(rows):
                names = np.full(len(rows), name) if isinstance(name, int) else name[rows]
                where = (window[rows], names)
                np.add.at(self._counts[:, :, kind], where, sign)
                self._unpublished[where] = True
                self._unsaved[where] = True

    def touch(self, window: Ints, name: int) -> None:
        """Have rows published again, changed or not.

        A worker that read the same events in smaller chunks may have published such a row when it was different for a
        moment, and was killed before its next checkpoint. Whoever reads them again in one chunk has to say what holds.
        """
        self._unpublished[window, name] = True

    def take_unpublished(self) -> tuple[Rows, Bools]:
        """Return the rows changed since the last call, and a token that gives them back to ``not_published``."""
        taken = self._unpublished.copy()
        self._unpublished[:] = False
        return self._rows(taken), taken

    def not_published(self, taken: Bools) -> None:
        """Note that rows which had been taken did not reach the broker."""
        self._unpublished |= taken

    def take_unsaved(self, *, everything: bool) -> Rows:
        """Return the rows changed since the last call, or all that are not zero."""
        taken = self._counts.any(axis=2) | self._unsaved if everything else self._unsaved.copy()
        self._unsaved[:] = False
        return self._rows(taken)

    def load(self, rows: Rows) -> None:
        """Put rows back."""
        self._counts[rows.window, rows.name] = rows.counts

    def _rows(self, taken: Bools) -> Rows:
        window, name = np.nonzero(taken)
        return Rows(window, name, self._counts[window, name])
