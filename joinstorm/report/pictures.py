"""Shared by the report's pictures: their data, and a part of the night thinned to what can be drawn."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashboards import palette
from joinstorm.report import picturestyle as style
from joinstorm.report.wording import SIMULATED, Wording
from streams.contract.names import MINUTE_MS
from streams.contract.runinfo import RunInfo
from streams.effect.estimate import ReactionEstimate
from streams.read.derive import ResultsView
from streams.read.ledger import Grid
from streams.read.steps import Ints, Steps

Floats: TypeAlias = NDArray[np.float64]
TRUTH: Final[dict[str, Any]] = {"color": style.INK, "linewidth": 0.9, "linestyle": (0, (1, 3.2)), "alpha": 0.9}
"""The truth is drawn as dots over the engine's line: where both agree, the dots are on the line."""
KEY: Final = ("··· the truth", style.INK)
MOST_ROOMS: Final = 12
"""Rooms drawn and listed: more cannot be told apart."""
POINTS: Final = 1_000
"""Points per line: the page shows no more."""
_ROOMS: Final = tuple(palette.ROOMS.values())


@dataclass(frozen=True)
class PictureData:
    """The data of the pictures.

    Args:
        info: The run.
        engine: The engine's counts.
        truth: The oracle's counts.
        reaction: The engine's estimate of the reaction; None without an announcement.
        subject: The announcement's subject.
        wording: How things are named.
    """

    info: RunInfo
    engine: ResultsView
    truth: ResultsView
    reaction: ReactionEstimate | None
    subject: str
    wording: Wording = SIMULATED

    @property
    def grid(self) -> Grid:
        """The windows of the night."""
        return self.truth.grid

    @cached_property
    def rooms(self) -> tuple[str, ...]:
        """The rooms to show: the ``MOST_ROOMS`` that were the fullest, in their order."""
        spaces = self.engine.spaces
        if len(spaces) <= MOST_ROOMS:
            return spaces
        fullest = sorted(spaces, key=lambda space: -self.engine.live(space).peak()[0])[:MOST_ROOMS]
        return tuple(space for space in spaces if space in fullest)

    @property
    def not_shown(self) -> int:
        """How many rooms are not shown."""
        return len(self.engine.spaces) - len(self.rooms)

    def gaps(self) -> dict[str, Steps]:
        """Return engine minus truth of the rooms to show, and of those others whose audience differs most."""
        every = {space: self.engine.live(space) - self.truth.live(space) for space in self.engine.spaces}
        wrong = [space for space, gap in every.items() if space not in self.rooms and gap.farthest()]
        worst = sorted(wrong, key=lambda space: -every[space].farthest())[:MOST_ROOMS]
        return {space: every[space] for space in (*self.rooms, *worst)}

    def colours(self) -> dict[str, str]:
        """Return the colour of each room to show."""
        return {
            space: palette.ROOMS.get(space, _ROOMS[number % len(_ROOMS)]) for number, space in enumerate(self.rooms)
        }


@dataclass(frozen=True)
class Stretch:
    """A part of the night, thinned to the points drawn."""

    grid: Grid
    since: int
    until: int
    """Numbers of windows, the first and the last that count."""
    points: int = POINTS
    """Points drawn."""

    @classmethod
    def of(cls, grid: Grid, span: tuple[int, int]) -> "Stretch":
        """Return the windows between two event times (ms)."""
        return cls(grid, grid.until(span[0]), grid.until(span[1]))

    @property
    def step(self) -> int:
        """Windows from one point to the next."""
        return max(1, (self.until - self.since) // self.points)

    @property
    def places(self) -> Ints:
        """The points: how many windows have ended at each."""
        return np.arange(self.since, self.until + 1, self.step)

    def times(self) -> Floats:
        """Return the times of the points."""
        times: Floats = style.when(self.grid.end_of(self.places))
        return times

    def thin(self, values: Steps) -> Ints:
        """Return the values at the points."""
        return values[self.places]

    def farthest(self, values: Steps) -> Ints:
        """Return the value farthest from zero between each two points, so that a single wrong window shows."""
        points, ends = self.places, values.windows + 1
        ends = np.union1d(points, ends[(ends > self.since) & (ends <= self.until)])
        between, starts = values[ends], ends.searchsorted(points)
        high, low = np.maximum.reduceat(between, starts), np.minimum.reduceat(between, starts)
        return np.where(high >= -low, high, low)

    def interval(self, minutes: int) -> int:
        """Return the windows of an interval of some minutes; in a long night of as many more as makes ``points``."""
        step = max(1, minutes * MINUTE_MS // self.grid.window_ms)
        return step * max(1, (self.until - self.since) // (step * self.points))

    def per_minute(self, sums: Steps, minutes: int = 1) -> tuple[Floats, Floats]:
        """Return the middles of intervals of some minutes, and the counts per minute in them."""
        step = self.interval(minutes)
        edges = np.arange(self.since, self.until + 1, step)
        times = self.grid.end_of(edges)
        middles: Floats = style.when((times[1:] + times[:-1]) / 2)
        return middles, np.diff(sums[edges]) / (step * self.grid.window_ms / MINUTE_MS)
