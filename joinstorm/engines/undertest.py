"""An engine under test: how a worker of it is started, and what may be asked of it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class EngineUnderTest:
    """The engine under test and how to start a worker of it.

    Args:
        engine: The name its results stand under.
        start: Arguments of ``joinstorm stream`` that choose it, ``--engine`` first.
        seconds: How long each step may take before it counts as hanging.
        rescales: How it takes a second worker: ``joins`` while it runs, ``restarts`` with two, or ``never``.
        restarts: Whether it may be stopped and started again.
        letters: Whether it keeps dead letters on their topic; it must count them in any case.
    """

    engine: str
    start: Sequence[str]
    seconds: float = 60.0
    rescales: str = "joins"
    restarts: bool = True
    letters: bool = True
