"""The tape deck: how a replay is told, from any thread, to pause, go on, jump, step or change its speed."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

from producers.moments import duration_ms, moment_ms
from producers.replay.schedule import AS_FAST_AS_IT_GOES
from streams.contract.runinfo import RunInfo
from streams.errors import ScenarioError

SLOWEST = 0.1
MAX = "max"


@dataclass(frozen=True)
class Pause:
    """Stand still."""


@dataclass(frozen=True)
class Resume:
    """Go on."""


@dataclass(frozen=True)
class Stop:
    """End the replay where it is; its run stays unfinished."""


@dataclass(frozen=True)
class SetSpeed:
    """Go on at another speed."""

    speed: float


@dataclass(frozen=True)
class Step:
    """Play so many milliseconds of event time at once and stand still after them."""

    milliseconds: int


@dataclass(frozen=True)
class Jump:
    """Be at an event time: forwards by sending what lies between at full speed, backwards in a new run."""

    moment: int


@dataclass(frozen=True)
class Shift:
    """Jump by so many milliseconds of event time from where the replay is when it obeys, within the night."""

    milliseconds: int


Command: TypeAlias = Pause | Resume | Stop | SetSpeed | Step | Jump | Shift


@dataclass(frozen=True)
class DeckState:
    """What the deck's display shows."""

    run: str = ""
    state: str = "starting"
    at: int = 0
    """Event time, ms."""
    phase: str = ""
    speed: float = 0.0
    """Event seconds per second; 0 means as fast as it goes."""
    sent: int = 0
    events: int = 0
    on_time_ratio: float = 1.0
    lateness_seconds: float = 0.0
    rounds: int = 1
    """Which run of this replay it is: jumping back and looping begin a new one."""


class Deck:
    """Takes commands from any thread; the replay obeys within a few milliseconds.

    Every method may be called at any time. A command that cannot be obeyed raises ScenarioError at once.

    Args:
        listener: Called with every new state, in the thread of the replay, about four times a second.
    """

    def __init__(self, listener: Callable[[DeckState], None] | None = None) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        self._commands: deque[Command] = deque()
        self._state = DeckState()
        self._info: RunInfo | None = None

    def pause(self) -> None:
        """Stand still; nothing is lost or repeated."""
        self._give(Pause())

    def resume(self) -> None:
        """Go on."""
        self._give(Resume())

    def toggle(self) -> None:
        """Pause when playing, go on when standing."""
        self._give(Resume() if self.state.state == "paused" else Pause())

    def set_speed(self, speed: float | str) -> None:
        """Change the speed: 0.1 event seconds per second or more, or ``max``."""
        self._give(SetSpeed(speed_of(speed)))

    def step(self, length: str = "5s") -> None:
        """Stand still after playing so much event time (``5s``, ``1m``) at once."""
        self._give(Step(duration_ms(length)))

    def jump(self, moment: str) -> None:
        """Be at a moment: a phase, a time, ``talk+10m``, ``+5m``, ``-5m`` (see ``producers.moments``)."""
        with self._lock:
            info, here = self._info, self._state.at
        if info is None:
            raise ScenarioError("the replay has not begun: there is nowhere to jump yet")
        found = moment_ms(moment, info.phases, info.start, info.end, here)
        self._give(Shift(found - here) if moment.lstrip().startswith(("+", "-")) else Jump(found))

    def stop(self) -> None:
        """End the replay."""
        self._give(Stop())

    @property
    def state(self) -> DeckState:
        """Where it is and what it does, not older than a quarter of a second."""
        with self._lock:
            return self._state

    def as_dict(self) -> dict[str, Any]:
        """Return the state for JSON."""
        return asdict(self.state)

    def taken(self) -> Command | None:
        """Return the next command, None if there is none; for the replay."""
        with self._lock:
            return self._commands.popleft() if self._commands else None

    def show(self, info: RunInfo, **changes: Any) -> None:
        """Change what the display shows; for the replay."""
        with self._lock:
            self._info = info
            self._state = state = replace(self._state, run=info.run, events=info.events, **changes)
        if self._listener is not None:
            self._listener(state)

    def _give(self, command: Command) -> None:
        with self._lock:
            self._commands.append(command)


def speed_of(text: float | str) -> float:
    """Return a speed as a number, 0 for ``max``.

    Raises:
        ScenarioError: It is neither ``max`` nor a number of at least 0.1.
    """
    if text == MAX:
        return AS_FAST_AS_IT_GOES
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not SLOWEST <= speed < float("inf"):
        raise ScenarioError(f"speed {text!r}: expected a number of at least {SLOWEST}, or {MAX}")
    return speed
