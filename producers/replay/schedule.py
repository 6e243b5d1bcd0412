"""When each event is due: an absolute schedule that can be paused, moved and set to another speed.

From the latest knot (wall, event) on, event time ``e`` is due at ``wall + (e - event) / speed``. Lateness never moves
the schedule. A knot is set where the clock starts, stops or changes its speed. In a *rush* everything up to its end is
due at once and nothing has a due time of its own; the clock stops until the rush is over. As fast as possible is a rush
without an end.

Wall times are seconds of a monotonic clock, passed in by the caller; event times are milliseconds.
"""

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from producers.compose.lanes import Ints
from streams.contract.runinfo import DEFAULT_WINDOW_MS

AS_FAST_AS_POSSIBLE = 0.0
MOST_MARKS = 20_000
"""Watermarks per partition, unless the user sets their step: more than a day of windows of five seconds has."""
_KEPT = 256
"""Knots and rushes that are remembered: far more than a user can set while records are in flight."""


class Schedule:
    """The clock of a replay; it stops at ``event`` until ``start``.

    Args:
        event: Event time (ms) to begin at.
        speed: Event seconds per second; 0 means as fast as possible.
    """

    def __init__(self, event: float, speed: float) -> None:
        self.speed = speed
        self.running = False
        """Whether the replay is started and not paused."""
        self.sent = float(event)
        """Event time up to which everything has left; set by ``reached``."""
        self._walls: list[float] = []
        self._events = [float(event)]
        self._rush: tuple[float, float] | None = None
        self._rushed: list[tuple[float, float]] = []
        if speed == AS_FAST_AS_POSSIBLE:
            self._rush = (float(event), math.inf)

    @property
    def rushing(self) -> float | None:
        """The end of the current rush, None if there is none."""
        return None if self._rush is None else self._rush[1]

    def start(self, now: float) -> None:
        """Start the clock; a running one stays as it is."""
        if not self.running:
            self._knot(now, self._events[-1])
            self.running = True

    def postpone(self, now: float) -> None:
        """Have a running clock go on from its latest knot now: what was due since then is due from here on."""
        if self.running and self._rush is None:
            self._walls[-1] = now

    def pause(self, now: float) -> None:
        """Stop the clock, and the current rush, where they are."""
        if self.running:
            self._knot(now, self.position(now) if self._rush is None else self._events[-1])
            self.running = False

    def set_speed(self, now: float, speed: float) -> None:
        """Change the speed from here on; a rush to a moment is played to its end first."""
        endless = self.rushing == math.inf
        if speed == AS_FAST_AS_POSSIBLE:
            self.rush(now, math.inf)
        elif endless:
            self._end_rush(now, self.position(now))
        elif self._rush is None:
            self._knot(now, self.position(now))
        self.speed = speed

    def rush(self, now: float, upto: float) -> None:
        """Make everything before an event time due at once; nothing changes if the clock is already there."""
        begin = self.position(now)
        if self._rush is None and upto > begin:
            self._knot(now, begin)
            self._rush = (begin, upto)
        elif self._rush is not None and upto > self._rush[1]:
            self._rush = (self._rush[0], upto)

    def skip(self, now: float, upto: float) -> None:
        """Move the stopped clock to an event time: everything up to and at it is due at once."""
        begin = self.position(now)
        if upto > begin:
            self._knot(now, upto)
            self._remember(begin, upto)
            if self._rush is not None and upto >= self._rush[1]:
                self._end_rush(now, upto)

    def reached(self, now: float, event: float) -> None:
        """Note that everything due before an event time has left; this ends a rush up to there."""
        self.sent = max(self.sent, min(event, self.horizon(now)))
        if self._rush is not None and self.running and event >= self._rush[1]:
            self._end_rush(now, self._rush[1])

    def position(self, now: float) -> float:
        """Return the event time of the replay: the clock's, or in a rush the time up to which events have left."""
        if self._rush is not None:
            return max(self._events[-1], min(self.sent, self._rush[1]))
        if not self.running:
            return self._events[-1]
        return self._events[-1] + max(0.0, now - self._walls[-1]) * 1000 * self.speed

    def horizon(self, now: float) -> float:
        """Return the event time up to and at which records are due now."""
        if self._rush is not None and self.running:
            return math.nextafter(self._rush[1], -math.inf) if self._rush[1] < math.inf else math.inf
        return self.position(now)

    def seconds_until(self, now: float, event: float) -> float:
        """Return the seconds until an event time is due; infinite while the clock is stopped before it."""
        if event <= self.horizon(now):
            return 0.0
        if not self.running or self._rush is not None:
            return math.inf
        return self._walls[-1] + (event - self._events[-1]) / 1000 / self.speed - now

    def wall_of(self, events: Ints) -> npt.NDArray[np.float64]:
        """Return the wall times at which event times are due; not a number inside a rush."""
        walls = np.full(len(events), np.nan)
        if self._walls:
            times = events.astype(np.float64)
            paced = self._paced(times)
            walls[paced] = self._due(times[paced])
        return walls

    def _paced(self, events: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        paced = np.ones(len(events), dtype=np.bool_)
        for begin, upto in (*self._rushed, *([self._rush] if self._rush else [])):
            paced &= (events < begin) | (events >= upto)
        return paced

    def _due(self, events: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        last = self._events[-1]
        walls = np.interp(events, self._events, self._walls)
        after = events > last
        if after.any():
            walls[after] = self._walls[-1] + (events[after] - last) / 1000 / self.speed
        return walls

    def _end_rush(self, now: float, at: float) -> None:
        if self._rush is not None:
            self._remember(self._rush[0], at)
            self._rush = None
            self._knot(now, at)

    def _remember(self, begin: float, upto: float) -> None:
        self._rushed = [*self._rushed[-_KEPT:], (begin, upto)]

    def _knot(self, wall: float, event: float) -> None:
        if not self._walls:
            self._walls, self._events = [wall], [event]
            return
        self._walls = [*self._walls[-_KEPT:], max(wall, self._walls[-1])]
        self._events = [*self._events[-_KEPT:], max(event, self._events[-1])]


def least_watermark_step(length_ms: int, window_ms: int = DEFAULT_WINDOW_MS) -> int:
    """Return the least step, in whole windows, with at most ``MOST_MARKS`` watermarks per partition of a night."""
    return max(1, -(-length_ms // (MOST_MARKS * window_ms))) * window_ms


def default_watermark_step(speed: float, length_ms: int, window_ms: int = DEFAULT_WINDOW_MS) -> int:
    """Return the watermark step for a speed: about a quarter of a second of wall clock, in whole windows.

    Engines settle a window when a watermark passes it, so more marks than windows add nothing; more than a minute of
    event time between marks would keep a viewer waiting, except in a night so long that its marks would outweigh its
    events.

    Args:
        speed: Event seconds per second; 0 means as fast as possible.
        length_ms: Length of the night.
        window_ms: Width of the result windows.
    """
    least, longest = least_watermark_step(length_ms, window_ms), max(window_ms, 60_000 - 60_000 % window_ms)
    windows = -(-int(speed * 250) // window_ms) if speed else longest // window_ms
    return max(least, min(windows * window_ms, longest))


def quiet_stretches(starts: list[tuple[int, bool]], end: int) -> list[tuple[int, int]]:
    """Return the stretches of event time (start, end) that are quiet.

    Args:
        starts: Start of every phase and whether it is quiet, in order.
        end: End of the last phase.
    """
    bounds = [*starts, (end, False)]
    return [(begin, end) for (begin, quiet), (end, _) in pairwise(bounds) if quiet]
