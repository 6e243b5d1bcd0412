"""Shared by the report's pictures: their data, and a part of the night thinned to what can be drawn."""

from dataclasses import dataclass
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
from streams.read.ledger import Grid, Ints

Floats: TypeAlias = NDArray[np.float64]
TRUTH: Final[dict[str, Any]] = {"color": style.INK, "linewidth": 0.9, "linestyle": (0, (1, 3.2)), "alpha": 0.9}
"""The truth is drawn as dots over the engine's line: where both agree, the dots are on the line."""
KEY: Final = ("··· the truth", style.INK)
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

    def colours(self) -> dict[str, str]:
        """Return the colour of each room."""
        return {
            space: palette.ROOMS.get(space, _ROOMS[number % len(_ROOMS)])
            for number, space in enumerate(self.engine.spaces)
        }


@dataclass(frozen=True)
class Stretch:
    """A part of the night, thinned to the points drawn."""

    grid: Grid
    since: int
    until: int
    points: int = POINTS

    @classmethod
    def of(cls, grid: Grid, span: tuple[int, int]) -> "Stretch":
        """Return the windows between two event times (ms)."""
        return cls(grid, grid.until(span[0]), grid.until(span[1]))

    @property
    def step(self) -> int:
        """Windows from one point to the next."""
        return max(1, (self.until - self.since) // self.points)

    def times(self) -> Floats:
        """Return the times of the points."""
        times: Floats = style.when(self.thin(self.grid.ends()))
        return times

    def thin(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return every ``step``-th value at the ends of windows."""
        return values[self.since : self.until + 1 : self.step]

    def farthest(self, values: Ints) -> Ints:
        """Return the value farthest from zero between each two points, so that a single wrong window shows."""
        cut = values[self.since : self.until + 1]
        starts = np.arange(0, len(cut), self.step)
        high, low = np.maximum.reduceat(cut, starts), np.minimum.reduceat(cut, starts)
        return np.where(high >= -low, high, low)

    def per_minute(self, sums: Ints, minutes: int = 1) -> tuple[Floats, Floats]:
        """Return the middles of intervals of some minutes, and the counts per minute in them."""
        step = max(1, minutes * MINUTE_MS // self.grid.window_ms)
        edges = slice(self.since, self.until + 1, step)
        times = self.grid.ends()[edges]
        middles: Floats = style.when((times[1:] + times[:-1]) / 2)
        return middles, np.diff(sums[edges]) / (step * self.grid.window_ms / MINUTE_MS)
