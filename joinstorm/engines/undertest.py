"""An engine under test: how to start a worker of it, and what it supports."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class EngineUnderTest:
    """The engine under test and how to start a worker of it.

    Args:
        name: The engine name of its results.
        start: Arguments of ``joinstorm stream`` that select it, ``--engine`` first.
        seconds: How long each step may take before the engine counts as stuck.
        golden_seconds: The same in a golden night, which is a few dozen records.
        rescales: How a second worker comes in: it ``joins`` the first, the engine ``restarts`` with two, or ``never``.
        restarts: Whether it can be stopped and started again.
        dead_letters: Whether it writes dead letters to their topic; it must count them in any case.
    """

    name: str
    start: Sequence[str]
    seconds: float = 60.0
    rescales: str = "joins"
    restarts: bool = True
    dead_letters: bool = True
    golden_seconds: float = 20.0

    def deadline(self, *, golden: bool) -> float:
        """Return how long a step of a night may take."""
        return min(self.seconds, self.golden_seconds) if golden else self.seconds
