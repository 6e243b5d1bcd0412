"""The earliest time of each thing that happened to each person: minima, so order and repetition do not matter."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.fold.growing import longer
from streams.kernels.counting import Bools, FirstTimes, Times
from streams.kernels.record import Ints
from streams.kernels.rows import rows_of, with_room

_FEW: Final = 1_024


def _kind(span: int) -> type[np.int32] | type[np.int64]:
    """Return the type of times: four bytes where the greatest time fits."""
    return np.int32 if span < np.iinfo(np.int32).max else np.int64


class PeopleTimes:
    """Times in milliseconds since the start of the night, a row per person: one cache line holds all of a person.

    Args:
        people: How many there are.
        columns: How many things happen.
        span: The greatest time there can be.
    """

    def __init__(self, people: int, columns: int, span: int) -> None:
        kind = _kind(span)
        self.never: Final = int(np.iinfo(kind).max)
        """The time of what has not happened."""
        self.times: Times = np.full((people, columns), self.never, kind)
        self.unsaved: Bools = np.zeros(people, np.bool_)
        self._known = np.zeros(people, np.bool_)
        """To whom anything has happened, but for those who are unsaved."""

    def take_unsaved(self, *, everything: bool) -> tuple[Ints, Times]:
        """Return people and their times: those changed since the last call, or all to whom anything happened."""
        self._known |= self.unsaved
        people = np.flatnonzero(self._known if everything else self.unsaved)
        self.unsaved[:] = False
        return people, self.times[people]

    def load(self, people: Ints, times: Times) -> None:
        """Put times back."""
        self.times[people] = times
        self._known[people] = True


class PeopleFirsts:
    """The earliest time of each person with each name, in milliseconds since the start of the night.

    A person meets few of the names (spaces, subjects), so there is a row for each pair that has met.

    Args:
        names: How many names, the one for "all" included; name numbers are 0 … names - 1.
        span: The greatest time there can be.
    """

    def __init__(self, names: int, span: int) -> None:
        self.table = FirstTimes(with_room(None, _FEW), names, np.zeros(_FEW, _kind(span)), np.zeros(_FEW, np.bool_))
        """What kernels keep times in."""

    def make_room(self, rows: int) -> None:
        """Have room for so many new rows."""
        table = self.table
        needed, room = int(table.rows.used[0]) + rows, len(table.times)
        if needed > room:
            size = max(2 * room, needed)
            index = with_room(table.rows, size)
            self.table = FirstTimes(index, table.names, longer(table.times, size), longer(table.unsaved, size))

    def take_unsaved(self, *, everything: bool) -> tuple[Ints, NDArray[np.int32], Times]:
        """Return people, names and times: those changed since the last call, or all there are."""
        table = self.table
        rows = np.arange(table.rows.used[0]) if everything else np.flatnonzero(table.unsaved)
        table.unsaved[:] = False
        people, names = np.divmod(table.rows.keys[rows], table.names)
        return people, names.astype(np.int32), table.times[rows]

    def load(self, people: Ints, names: NDArray[np.int32], times: Times) -> None:
        """Put times back."""
        self.make_room(len(people))
        rows = np.empty(len(people), np.int64)
        rows_of(self.table.rows, people.astype(np.int64) * self.table.names + names, rows)
        self.table.times[rows] = times
