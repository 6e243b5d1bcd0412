"""The tape deck: pause, resume, jump, step and change the speed of a replay, from any thread."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

from producers.moments import duration_ms, moment_ms
from producers.replay.schedule import AS_FAST_AS_POSSIBLE
from streams.contract.runinfo import RunInfo
from streams.errors import UsageError

SLOWEST = 0.1
FASTEST = 1_000_000
"""A night of a day in a tenth of a second; beyond, a moment is too far away for a number to say when it is due."""
MAX = "max"
_MOST_WAITING = 1_000


@dataclass(frozen=True)
class Pause:
    """Hold the replay where it is."""


@dataclass(frozen=True)
class Resume:
    """Continue."""


@dataclass(frozen=True)
class Toggle:
    """Hold a running replay, continue a held one."""


@dataclass(frozen=True)
class Stop:
    """End the replay where it is; the run stays unfinished."""


@dataclass(frozen=True)
class SetSpeed:
    """Continue at another speed."""

    speed: float


@dataclass(frozen=True)
class Step:
    """Play this much event time (ms) at full speed, then pause."""

    milliseconds: int


@dataclass(frozen=True)
class Jump:
    """Go to an event time: forwards by sending what lies between at full speed, backwards in a new run."""

    moment: int


@dataclass(frozen=True)
class Shift:
    """Jump by this much event time (ms), within the night, counted from the position at which the replay obeys."""

    milliseconds: int


Command: TypeAlias = Pause | Resume | Toggle | Stop | SetSpeed | Step | Jump | Shift


@dataclass(frozen=True)
class DeckState:
    """What the deck displays."""

    run: str = ""
    state: str = "starting"
    """starting, playing, paused, moving (on the way to a moment), ended, stopped or failed."""
    at: int = 0
    """Event time, ms."""
    phase: str = ""
    speed: float = 0.0
    """Event seconds per second of wall clock; 0 means as fast as possible."""
    sent: int = 0
    events: int = 0
    on_time_ratio: float = 1.0
    lateness_seconds: float = 0.0
    rounds: int = 1
    """The number of this run within the replay: a jump back and a loop begin a new run."""


class Deck:
    """Accepts commands from any thread; the replay obeys within a few milliseconds.

    Every method may be called at any time. A command that cannot be obeyed raises UsageError at once, as does one more
    than a thousand that wait for the replay.

    Args:
        listener: Called with every new state, in the replay's thread, about four times a second.
    """

    def __init__(self, listener: Callable[[DeckState], None] | None = None) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        self._commands: deque[Command] = deque()
        self.taken = 0
        """The commands the replay has taken; it alone reads this."""
        self._obeyed = 0
        """The commands taken before the latest state was shown."""
        self._state = DeckState()
        self._info: RunInfo | None = None

    def pause(self) -> None:
        """Pause; nothing is lost or repeated."""
        self._queue(Pause())

    def resume(self) -> None:
        """Continue after a pause."""
        self._queue(Resume())

    def toggle(self) -> None:
        """Pause when playing, resume when paused."""
        self._queue(Toggle())

    def set_speed(self, speed: float | str) -> None:
        """Change the speed: 0.1 to 1,000,000 event seconds per second, or ``max``."""
        self._queue(SetSpeed(speed_of(speed)))

    def step(self, length: str = "5s") -> None:
        """Play this much event time (``5s``, ``1m``) at full speed, then pause."""
        self._queue(Step(duration_ms(length)))

    def jump(self, moment: str) -> None:
        """Go to a moment: a phase, a time, ``talk+10m``, ``+5m``, ``-5m`` (see ``producers.moments``)."""
        with self._lock:
            info, here = self._info, self._state.at
        if info is None:
            raise UsageError("the replay has not begun yet, so it cannot jump")
        target = moment_ms(moment, info.phases, info.start, info.end, here)
        self._queue(Shift(target - here) if moment.lstrip().startswith(("+", "-")) else Jump(target))

    def stop(self) -> None:
        """End the replay."""
        self._queue(Stop())

    @property
    def state(self) -> DeckState:
        """Position and state of the replay, at most a quarter of a second old."""
        with self._lock:
            return self._state

    @property
    def given(self) -> int:
        """The number of commands given so far."""
        with self._lock:
            return self.taken + len(self._commands)

    def has_obeyed(self, number: int) -> bool:
        """Return whether the state is that after the first ``number`` commands; False while no replay plays."""
        with self._lock:
            return self._obeyed >= number

    def as_dict(self) -> dict[str, Any]:
        """Return the state as plain values for JSON."""
        return asdict(self.state)

    def take(self) -> Command | None:
        """Remove and return the next command, None if there is none; only the replay calls this."""
        with self._lock:
            if not self._commands:
                return None
            self.taken += 1
            return self._commands.popleft()

    def show(self, info: RunInfo, **changes: Any) -> None:
        """Change what the deck displays; only the replay calls this."""
        with self._lock:
            self._info = info
            self._obeyed = self.taken
            self._state = state = replace(self._state, run=info.run, events=info.events, **changes)
        if self._listener is not None:
            self._listener(state)

    def _queue(self, command: Command) -> None:
        with self._lock:
            if len(self._commands) >= _MOST_WAITING and not isinstance(command, Stop):
                raise UsageError(f"{_MOST_WAITING:,} commands wait for the replay already")
            self._commands.append(command)


def speed_of(text: float | str) -> float:
    """Return a speed as a number, 0 for ``max``.

    Raises:
        UsageError: ``text`` is neither ``max`` nor a number from 0.1 to 1,000,000.
    """
    if text == MAX:
        return AS_FAST_AS_POSSIBLE
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not SLOWEST <= speed <= FASTEST:
        raise UsageError(
            f"speed {str(text)[:40]!r}: expected a number of at least {SLOWEST} and at most {FASTEST:,}, or {MAX}"
        )
    return speed
