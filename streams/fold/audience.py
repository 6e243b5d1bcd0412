"""What happened in the spaces: counts of ``results.audience`` as a pure fold over columns of presence events.

docs/architecture.md defines every count. All of them are sums over events or over people of something that is a
minimum, so the result is the same for every order and every cutting of the same events into chunks.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from streams.contract.events import WAITED_MS
from streams.contract.names import ALL
from streams.contract.results import Counts
from streams.contract.runinfo import RunInfo
from streams.fold.canonical import Bools, Ints
from streams.fold.cells import CELLS, FIRST_ATTEMPT, GIVE_UP, JOIN, LEAVE, REJOIN, SUMS
from streams.fold.columns import PresenceColumns
from streams.fold.minima import Distinct, Earliest
from streams.fold.snapshot import Arrays
from streams.fold.windows import Changed, Rows, WindowCounts, worded

FIRST_JOINS: Final = CELLS
WAITED: Final = CELLS + 1
_KINDS: Final = CELLS + 2


def _sums() -> tuple[tuple[str, ...], Ints]:
    """Return the names of the counts and the matrix that makes them of a row of the table."""
    sums = {**SUMS, "first_joins": (FIRST_JOINS,), "waited_20m": (WAITED,)}
    matrix = np.zeros((_KINDS, len(sums)), np.int64)
    for column, cells in enumerate(sums.values()):
        matrix[list(cells), column] = 1
    return tuple(sums), matrix


_NAMES, _MATRIX = _sums()
_NO_ESTIMATES: Final[Counts] = {}


class AudienceFold:
    """State of one partition of ``space.presence``.

    ``step`` takes columns without duplicates, of events inside what ``info`` announces.
    """

    def __init__(self, info: RunInfo) -> None:
        span = info.end - info.start
        self._info = info
        self._names = (*info.spaces, ALL)
        self._talk_start = info.talk_start - info.start
        last = max(span, self._talk_start)
        self._counts = WindowCounts(last // info.window_ms + 1, len(self._names), _KINDS)
        self._distinct = Distinct(info.people)
        self._attempt = Earliest(info.people, span, self._distinct)
        self._leave = Earliest(info.people, span, self._distinct)
        self._joins = [Earliest(info.people, span, self._distinct) for _ in info.spaces]
        self._join = Earliest(info.people, span, self._distinct)
        self._waited = np.full(info.people, -1, np.int32)
        self._unsaved = np.zeros(info.people, np.bool_)

    def step(self, events: PresenceColumns) -> None:
        """Count events."""
        since = events.at - self._info.start
        self._counts.count(since // self._info.window_ms, events.space, events.cell)
        self._count_first_joins(events, since)
        self._count_waited(events, since)

    def _count_first_joins(self, events: PresenceColumns, since: Ints) -> None:
        rows = np.flatnonzero((events.cell == JOIN) | (events.cell == REJOIN))
        people, times, spaces = events.person[rows], since[rows], events.space[rows]
        self._counts.touch(times // self._info.window_ms, len(self._joins))
        for name, earliest in enumerate(self._joins):
            here = np.flatnonzero(spaces == name)
            self._count_firsts(name, earliest, people[here], times[here])
        self._count_firsts(len(self._joins), self._join, people, times)

    def _count_firsts(self, name: int, earliest: Earliest, people: Ints, times: Ints) -> None:
        if len(people):
            slots, before, after = earliest.lower(people, times)
            self._unsaved[slots] = True
            step = self._info.window_ms
            self._counts.move(name, FIRST_JOINS, np.where(before == earliest.never, -1, before // step), after // step)

    def _count_waited(self, events: PresenceColumns, since: Ints) -> None:
        attempts = np.flatnonzero(events.cell <= FIRST_ATTEMPT)
        leaves = np.flatnonzero((events.cell == LEAVE) | (events.cell == GIVE_UP))
        due = since[attempts] + WAITED_MS
        self._counts.touch(due[due <= self._talk_start] // self._info.window_ms, len(self._joins))
        came = self._attempt.lower(events.person[attempts], since[attempts])
        left = self._leave.lower(events.person[leaves], since[leaves])
        both = np.concatenate((came.slot, left.slot))
        people = both[self._distinct.last(both)]
        if len(people):
            self._unsaved[people] = True
            before, after = self._waited[people].astype(np.int64), self._waited_window(people)
            self._waited[people] = after
            self._counts.move(len(self._joins), WAITED, before, after)

    def _waited_window(self, people: Ints) -> Ints:
        """Return the window in which each of some people has waited 20 minutes, -1 for who has not."""
        came = self._attempt.times[people]
        since = came.astype(np.int64) + WAITED_MS
        waited = (came != self._attempt.never) & (since <= self._talk_start) & (self._leave.times[people] > since)
        return np.where(waited, since // self._info.window_ms, -1)

    def take_unpublished(self) -> tuple[list[Changed], Bools]:
        """Return what changed since the last call, and a token for ``not_published``."""
        rows, token = self._counts.take_unpublished()
        return list(self._results(rows)), token

    def not_published(self, token: Bools) -> None:
        """Take back what could not be published."""
        self._counts.not_published(token)

    def _results(self, rows: Rows) -> Iterator[Changed]:
        start, step = self._info.start, self._info.window_ms
        table = worded(rows.counts @ _MATRIX, _NAMES)
        for window, name, counts in zip(rows.window.tolist(), rows.name.tolist(), table, strict=True):
            yield Changed(start + window * step, self._names[name], counts, _NO_ESTIMATES)

    def save(self, *, everything: bool) -> Arrays:
        """Return what changed since the last call, or everything, as arrays ``load`` understands."""
        rows = self._counts.take_unsaved(everything=everything)
        chosen = self._known() if everything else self._unsaved
        people = np.flatnonzero(chosen).astype(np.int32)
        self._unsaved[:] = False
        times = [self._attempt, self._leave, *self._joins]
        return {
            "window": rows.window.astype(np.int32),
            "name": rows.name.astype(np.int16),
            "counts": rows.counts,
            "people": people,
            "times": np.array([earliest.times[people] for earliest in times]),
        }

    def load(self, saved: Arrays) -> None:
        """Put saved arrays back, oldest first."""
        self._counts.load(Rows(saved["window"], saved["name"], saved["counts"]))
        people = saved["people"]
        for earliest, times in zip((self._attempt, self._leave, *self._joins), saved["times"], strict=True):
            earliest.times[people] = times
        if self._joins:
            self._join.times[people] = saved["times"][2:].min(axis=0)
        self._waited[people] = self._waited_window(people)

    def _known(self) -> Bools:
        known = np.zeros(len(self._waited), np.bool_)
        for earliest in (self._attempt, self._leave, self._join):
            known |= earliest.times != earliest.never
        return known
