"""The due time of every listener, one at most: sorted minute by minute, taken second by second."""

import numpy as np

from producers.simulation.randomness import Millis
from producers.simulation.room import Ids

NEVER = np.iinfo(np.int32).max
TICK_MS = 1_000
MINUTE_TICKS = 60
MINUTE_MS = MINUTE_TICKS * TICK_MS
_NO_IDS = np.empty(0, dtype=np.int32)


class Calendar:
    """The due times of all listeners, in ms after the opening; ``NEVER`` if nothing is due.

    Opening a minute scans all listeners once; a second then costs only the listeners due in it. A rescheduled listener
    is entered again, and an entry counts only if it still matches the due time.
    """

    def __init__(self, due: Millis) -> None:
        self.due = due
        self._sorted = np.empty(0, dtype=np.int32)
        self._bounds: list[int] = [0] * (MINUTE_TICKS + 1)
        self._entered: dict[int, list[Ids]] = {}
        self._end = 0
        self._next = 0

    def open_minute(self, minute: int) -> None:
        """Sort the listeners due in this minute by second."""
        begin = minute * MINUTE_MS
        self._end = begin + MINUTE_MS
        ids = np.flatnonzero((self.due >= begin) & (self.due < self._end)).astype(np.int32)
        ticks = (self.due[ids] - begin) // TICK_MS
        order = np.argsort(ticks, kind="stable")
        self._sorted = ids[order]
        self._bounds = np.searchsorted(ticks[order], np.arange(MINUTE_TICKS + 1)).tolist()
        self._entered = {}

    def put(self, ids: Ids, due: Millis) -> None:
        """Set the next due time of these listeners, in place of any earlier one; at the earliest the next second."""
        due = np.maximum(due, self._next)
        self.due[ids] = due
        soon = due < self._end
        if soon.any():
            self._enter(ids[soon], due[soon] // TICK_MS)

    def _enter(self, ids: Ids, ticks: Millis) -> None:
        order = np.argsort(ticks, kind="stable")
        ids, ticks = ids[order], ticks[order]
        cuts = np.flatnonzero(np.diff(ticks)) + 1
        for tick, part in zip(ticks[np.r_[0, cuts]].tolist(), np.split(ids, cuts), strict=True):
            self._entered.setdefault(tick, []).append(part)

    def take(self, tick: int) -> tuple[Ids, Millis]:
        """Remove and return the listeners due in this second and their due times, ordered by time, then by id."""
        self._next = (tick + 1) * TICK_MS
        place = tick % MINUTE_TICKS
        ids = self._sorted[self._bounds[place] : self._bounds[place + 1]]
        entered = self._entered.pop(tick, None)
        if entered is not None:
            ids = np.unique(np.concatenate([ids, *entered]))
        elif not len(ids):
            return _NO_IDS, _NO_IDS
        due = self.due[ids]
        valid = due // TICK_MS == tick
        ids, due = ids[valid], due[valid]
        order = np.argsort(due, kind="stable")
        ids, due = ids[order], due[order]
        self.due[ids] = NEVER
        return ids, due
