"""The keys of the tape deck: the command of each, given the position of the replay."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from producers.replay.deck import MAX
from producers.replay.schedule import AS_FAST_AS_POSSIBLE
from streams.contract.runinfo import Phase

HINT: Final = "space pause  + - speed  s step  n p 1-9 phases  q stop"
SPEEDS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 3_600)
"""The speeds that + and - step through, event seconds per second; beyond the last one is ``max``."""
STEP: Final = "5s"


class Controls(Protocol):
    """A deck, or the client of one in another process."""

    def toggle(self) -> object:
        """Pause when playing, resume when paused."""
        ...

    def set_speed(self, speed: float | str) -> object:
        """Change the speed."""
        ...

    def step(self, length: str) -> object:
        """Play this much event time at full speed, then pause."""
        ...

    def jump(self, moment: str) -> object:
        """Go to a moment."""
        ...

    def stop(self) -> object:
        """End the replay."""
        ...


@dataclass(frozen=True)
class DeckPosition:
    """The position of a replay: event time in ms, speed (0: no pacing), and the phases of its night."""

    at: int
    speed: float
    phases: Sequence[Phase]

    @classmethod
    def of(cls, state: Mapping[str, Any], phases: Sequence[Phase]) -> "DeckPosition":
        """Return the position in the state of a deck."""
        return cls(int(state["at"]), float(state["speed"]), phases)


class DeckCommand(NamedTuple):
    """One command to the deck."""

    method: str
    """A method of ``Controls``."""
    argument: float | str | None = None

    def __str__(self) -> str:
        """Return it as text."""
        verbs = {"toggle": "pause or resume", "set_speed": "speed", "jump": "to"}
        argument = f"{self.argument:g}x" if isinstance(self.argument, float | int) else self.argument or ""
        return f"{verbs.get(self.method, self.method)} {argument}".strip()

    def send(self, controls: Controls) -> None:
        """Send it to a deck.

        Raises:
            JoinstormError: The deck refuses it, or there is no deck.
        """
        arguments = () if self.argument is None else (self.argument,)
        getattr(controls, self.method)(*arguments)


STOP: Final = DeckCommand("stop")


def commands_of(keys: str, position: DeckPosition) -> Iterator[DeckCommand]:
    """Yield the commands of keys; other keys have none.

    The position is that before the first key: two presses of + at once are two steps up.
    """
    speed = position.speed
    for key in keys:
        if key in "+=-":
            speed = faster(speed) if key in "+=" else slower(speed)
            yield DeckCommand("set_speed", speed or MAX)
        elif (command := _command(key, position)) is not None:
            yield command


def _command(key: str, position: DeckPosition) -> DeckCommand | None:
    simple = {" ": DeckCommand("toggle"), "s": DeckCommand("step", STEP), "q": STOP}
    if key in simple:
        return simple[key]
    phase = _phase(key, position)
    return None if phase is None else DeckCommand("jump", phase.name)


def _phase(key: str, position: DeckPosition) -> Phase | None:
    """Return the phase that a key jumps to, None where there is none."""
    if key in "123456789":
        return position.phases[int(key) - 1] if int(key) <= len(position.phases) else None
    begun = [phase for phase in position.phases if phase.start <= position.at]
    if key == "n":
        return next((phase for phase in position.phases if phase.start > position.at), None)
    return begun[max(0, len(begun) - 2)] if key == "p" and begun else None


def faster(speed: float) -> float:
    """Return the next greater speed; 0, which is no pacing, beyond the greatest."""
    if speed == AS_FAST_AS_POSSIBLE:
        return AS_FAST_AS_POSSIBLE
    return next((one for one in SPEEDS if one > speed), AS_FAST_AS_POSSIBLE)


def slower(speed: float) -> float:
    """Return the next smaller speed; the smallest stays."""
    if speed == AS_FAST_AS_POSSIBLE:
        return SPEEDS[-1]
    return next((one for one in reversed(SPEEDS) if one < speed), SPEEDS[0])
