"""What the live display shows of one instant of a run, and how it follows from a view of the results."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Final

from streams.read.derive import ResultsAt
from streams.read.runview import EngineView, RunView

MOST_ROOMS: Final = 12
"""Rooms shown."""


@dataclass(frozen=True)
class Frame:
    """What is known at one instant of a run; every value is as of the engine's watermark ``at``."""

    phase: str
    at: int | None
    """Event time in ms; None before the engine's first watermark."""
    progress: float
    """Share of the tape's events counted by the engine, 0 to 1."""
    audience: dict[str, int] = field(default_factory=dict)
    """Live audience by space."""
    waiting: int = 0
    drop_rate: float = 0.0
    tweets_per_minute: float = 0.0
    sent: int = 0
    send_rate: float = 0.0
    """Events a second, wall clock."""
    count_rate: float = 0.0
    lag_records: int = 0
    lag_seconds: float = 0.0
    """Event time between the replay and the engine."""
    speed: float = 0.0
    lateness_seconds: float = 0.0
    state: str = "starting"


class FrameSource:
    """Makes one ``Frame`` after another; keeps the totals of the last one for the rates.

    Args:
        engine: The engine to show.
        state: The state of a run that has none yet.
        clock: Seconds that only grow; injected in tests.
    """

    def __init__(self, engine: str, state: str = "starting", clock: Callable[[], float] = time.monotonic) -> None:
        self.engine = engine
        self._state = state
        self._clock = clock
        self._before: tuple[float, int, int] | None = None
        self._rates = (0.0, 0.0)

    def frame(self, view: RunView) -> Frame:
        """Return the frame of a view; an empty one before the run is known."""
        if view.info is None:
            return Frame(phase="starting", at=None, progress=0.0, state=self._state)
        engine = view.engines.get(self.engine)
        counted = _handled(engine)
        sent = view.status.sent if view.status else 0
        send_rate, count_rate = self._measure(sent, counted)
        watermark = engine.watermark if engine else None
        now = view.now(self.engine)
        return Frame(
            phase=view.info.phase_at(watermark if watermark is not None else view.info.start),
            at=watermark,
            progress=min(1.0, sum(engine.covered.events.values()) / max(1, view.info.events)) if engine else 0.0,
            audience=_rooms(view.info.spaces, now),
            waiting=now.waiting() if now else 0,
            drop_rate=max((now.drop_ratio(space) or 0.0 for space in view.info.spaces), default=0.0) if now else 0.0,
            tweets_per_minute=float(now.tweets_per_minute()) if now else 0.0,
            sent=sent,
            send_rate=send_rate,
            count_rate=count_rate,
            lag_records=max(0, sent - counted),
            lag_seconds=_lag_seconds(view, watermark),
            speed=view.status.speed if view.status else 0.0,
            lateness_seconds=view.status.lateness_seconds if view.status else 0.0,
            state=view.status.state if view.status else self._state,
        )

    def _measure(self, sent: int, counted: int) -> tuple[float, float]:
        """Return the rates over at least a second, so that the figures do not flicker."""
        now = self._clock()
        if self._before is None:
            self._before = (now, sent, counted)
        elapsed = now - self._before[0]
        if elapsed >= 1.0:
            self._rates = ((sent - self._before[1]) / elapsed, (counted - self._before[2]) / elapsed)
            self._before = (now, sent, counted)
        return self._rates


def _rooms(spaces: Sequence[str], now: ResultsAt | None) -> dict[str, int]:
    """Return the listeners in each room; of more than ``MOST_ROOMS`` rooms, in the fullest."""
    rooms = {space: now.audience(space) if now else 0 for space in spaces}
    if len(rooms) <= MOST_ROOMS:
        return rooms
    return {space: rooms[space] for space in nlargest(MOST_ROOMS, rooms, key=rooms.__getitem__)}


def _handled(engine: EngineView | None) -> int:
    """Records that an engine has handled: counted, found to be duplicates, or put aside."""
    if engine is None:
        return 0
    covered = engine.covered
    return sum(sum(part.values()) for part in (covered.events, covered.duplicates, covered.dead_letters))


def _lag_seconds(view: RunView, watermark: int | None) -> float:
    if view.status is None or view.info is None:
        return 0.0
    return max(0, view.status.at - (watermark if watermark is not None else view.info.start)) / 1000
