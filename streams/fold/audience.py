"""What happened in the spaces: counts of ``results.audience`` as a pure fold over columns of presence events.

docs/architecture.md defines every count. All of them are sums over events or over people of something that is a
minimum, so the result is the same for every order and every cutting of the same events into chunks.
"""

from typing import Final

import numpy as np

from streams.contract.names import ALL
from streams.contract.runinfo import RunInfo
from streams.fold.columns import Decoded
from streams.fold.results import Changes, Names
from streams.fold.snapshot import Arrays
from streams.fold.tagcounts import TagCounts
from streams.fold.times import PeopleFirsts, PeopleTimes
from streams.fold.windows import WindowCounts
from streams.kernels.breakdowns import LABELS
from streams.kernels.cells import SUMS
from streams.kernels.counting import (
    AUDIENCE_KINDS,
    FIRST_JOINS,
    LINKS_PER_EVENT,
    ROWS_PER_EVENT,
    WAITED,
    Bools,
    Night,
    fold_audience,
)
from streams.kernels.durations import TIMES
from streams.kernels.presence import PresenceOut
from streams.kernels.record import Ints
from streams.kernels.spelling import ResultRows


def _sums() -> tuple[tuple[str, ...], Ints]:
    """Return the names of the counts and the matrix that makes them of a row of the table."""
    sums = {**SUMS, "first_joins": (FIRST_JOINS,), "waited_20m": (WAITED,)}
    matrix = np.zeros((AUDIENCE_KINDS, len(sums)), np.int64)
    for column, cells in enumerate(sums.values()):
        matrix[list(cells), column] = 1
    return tuple(sums), matrix


_COUNTS, _MATRIX = _sums()


class AudienceFold:
    """State of one partition of ``space.presence``; ``info`` announces what its events keep to."""

    def __init__(self, info: RunInfo) -> None:
        span = info.end - info.start
        self._info = info
        self._night = Night(info.start, info.window_ms, info.talk_start - info.start)
        self.names: Final = Names((*info.spaces, ALL), _COUNTS, tags=list(LABELS))
        self._counts = WindowCounts(len(self.names.names), AUDIENCE_KINDS, info.events)
        self._bins = TagCounts(LABELS)
        self._firsts = PeopleFirsts(len(self.names.names), span)
        self._times = PeopleTimes(info.people, TIMES, span)

    def step(self, decoded: Decoded[PresenceOut], first: Bools) -> None:
        """Count those events of a chunk that are seen for the first time."""
        counts, firsts, times, bins, new = self._counts, self._firsts, self._times, self._bins, int(first.sum())
        counts.make_room(ROWS_PER_EVENT * new)
        firsts.make_room(new)
        bins.make_room(len(counts.table.unsaved), LINKS_PER_EVENT * new)
        known = (times.times, times.unsaved, bins.table)
        fold_audience(decoded.columns, first, self._night, counts.table, firsts.table, *known)

    def take_unpublished(self) -> tuple[Changes, Ints]:
        """Return what changed since the last call, and a token for ``not_published``."""
        rows, token = self._counts.take_unpublished()
        size = len(rows.window)
        windows = rows.window * self._info.window_ms + self._info.start
        none = np.empty((size, 0), np.int64)
        counted = ResultRows(windows, rows.name, rows.counts @ _MATRIX, none, *self._bins.of(rows.row))
        return Changes(counted, self.names), token

    def not_published(self, token: Ints) -> None:
        """Take back what could not be published."""
        self._counts.not_published(token)

    def save(self, *, everything: bool) -> Arrays:
        """Return what changed since the last call, or everything, as arrays ``load`` understands."""
        rows = self._counts.take_unsaved(everything=everything)
        people, times = self._times.take_unsaved(everything=everything)
        joined, space, joins = self._firsts.take_unsaved(everything=everything)
        begins, bins, durations = self._bins.of(rows.row)
        return {
            "names": np.array([len(self.names.names)]),
            "window": rows.window,
            "name": rows.name.astype(np.int32),
            "counts": rows.counts,
            "people": people,
            "times": times,
            "joined": joined,
            "space": space,
            "joins": joins,
            "bins_begin": begins,
            "bin": bins,
            "durations": durations,
        }

    def load(self, saved: Arrays) -> None:
        """Put saved arrays back, oldest first.

        Raises:
            ValueError: They are of a night with other names.
        """
        if saved["names"].tolist() != [len(self.names.names)]:
            raise ValueError(f"names: expected {len(self.names.names)}, found {saved['names'].tolist()}")
        rows = self._counts.load(saved["window"], saved["name"], saved["counts"])
        labels = [LABELS[number] for number in saved["bin"].tolist()]
        self._bins.load(rows, saved["bins_begin"].tolist(), labels, saved["durations"].tolist())
        self._times.load(saved["people"], saved["times"])
        self._firsts.load(saved["joined"], saved["space"], saved["joins"])
