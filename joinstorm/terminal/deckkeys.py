"""The keys of the tape deck: what each one orders, from where the replay is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from producers.replay.deck import MAX
from producers.replay.schedule import AS_FAST_AS_POSSIBLE
from streams.contract.runinfo import Phase

HINT: Final = "space pause  + - speed  s step  n p 1-9 phases  q stop"
SPEEDS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 3_600)
"""What + and - go through, event seconds a second; beyond the last one is ``max``."""
STEP: Final = "5s"


class Controls(Protocol):
    """What takes orders: a deck, or the client of one in another process."""

    def toggle(self) -> object:
        """Pause when playing, go on when standing."""
        ...

    def set_speed(self, speed: float | str) -> object:
        """Change the speed."""
        ...

    def step(self, length: str) -> object:
        """Play so much event time at once and stand still."""
        ...

    def jump(self, moment: str) -> object:
        """Be at a moment."""
        ...

    def stop(self) -> object:
        """End the replay."""
        ...


@dataclass(frozen=True)
class DeckPosition:
    """Where a replay is: event time in ms, speed (0: as fast as it goes), and the phases of its night."""

    at: int
    speed: float
    phases: Sequence[Phase]

    @classmethod
    def of(cls, state: Mapping[str, Any], phases: Sequence[Phase]) -> "DeckPosition":
        """Return where a deck says it is."""
        return cls(int(state["at"]), float(state["speed"]), phases)


class DeckCommand(NamedTuple):
    """One order to the deck."""

    command: str
    """A method of ``Controls``."""
    argument: float | str | None = None

    def __str__(self) -> str:
        """Return it in words."""
        words = {"toggle": "pause or go on", "set_speed": "speed", "jump": "to"}
        argument = f"{self.argument:g}x" if isinstance(self.argument, float | int) else self.argument or ""
        return f"{words.get(self.command, self.command)} {argument}".strip()

    def give(self, controls: Controls) -> None:
        """Give it.

        Raises:
            UsageError: It cannot be obeyed.
            EnvironmentMissingError: Nobody is there to obey.
        """
        arguments = () if self.argument is None else (self.argument,)
        getattr(controls, self.command)(*arguments)


STOP: Final = DeckCommand("stop")


def orders(keys: str, here: DeckPosition) -> Iterator[DeckCommand]:
    """Yield what keys order; other keys order nothing.

    The state is as of before the first key: two presses of + in one go are two steps up.
    """
    speed = here.speed
    for key in keys:
        if key in "+=-":
            speed = faster(speed) if key in "+=" else slower(speed)
            yield DeckCommand("set_speed", speed or MAX)
        elif (order := _order(key, here)) is not None:
            yield order


def _order(key: str, here: DeckPosition) -> DeckCommand | None:
    simple = {" ": DeckCommand("toggle"), "s": DeckCommand("step", STEP), "q": STOP}
    if key in simple:
        return simple[key]
    phase = _phase(key, here)
    return None if phase is None else DeckCommand("jump", phase.name)


def _phase(key: str, here: DeckPosition) -> Phase | None:
    """Return the phase a key jumps to, None where there is none."""
    if key in "123456789":
        return here.phases[int(key) - 1] if int(key) <= len(here.phases) else None
    begun = [phase for phase in here.phases if phase.start <= here.at]
    if key == "n":
        return next((phase for phase in here.phases if phase.start > here.at), None)
    return begun[max(0, len(begun) - 2)] if key == "p" and begun else None


def faster(speed: float) -> float:
    """Return the next greater speed; 0, as fast as it goes, beyond the greatest."""
    if speed == AS_FAST_AS_POSSIBLE:
        return AS_FAST_AS_POSSIBLE
    return next((one for one in SPEEDS if one > speed), AS_FAST_AS_POSSIBLE)


def slower(speed: float) -> float:
    """Return the next smaller speed; the smallest stays."""
    if speed == AS_FAST_AS_POSSIBLE:
        return SPEEDS[-1]
    return next((one for one in reversed(SPEEDS) if one < speed), SPEEDS[0])
