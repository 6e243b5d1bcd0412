"""The earliest time of each thing that happened to each person: minima, so order and repetition do not matter."""

from typing import Final

import numpy as np

from streams.kernels.counting import Bools, Times
from streams.kernels.record import Ints


class PeopleTimes:
    """Times in milliseconds since the start of the night, a row per person: one cache line holds all of a person.

    Args:
        people: How many there are.
        columns: How many things happen.
        span: The greatest time there can be; where it fits, a time takes four bytes.
    """

    def __init__(self, people: int, columns: int, span: int) -> None:
        kind = np.int32 if span < np.iinfo(np.int32).max else np.int64
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
