"""Further engines on the topics of a run: they read what the run's own engine reads, and what becomes of them is told.

A guest is held to the truth as the run's engine is, and stands on the boards beside it. It may fail: the run goes on.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from joinstorm.run.supervisor import ChildProcess
from streams.contract.names import TRUTH
from streams.engines import registry
from streams.errors import EngineError
from streams.read.runview import RunView

STALL_SECONDS: Final = 90.0
"""A guest that has counted nothing new for so long after the run's own engine is done is not waited for."""


class ExtraEngine:
    """One further engine.

    Args:
        name: What its results stand under.
        part: Its worker.
        clock: Seconds that only grow; injected in tests.
    """

    def __init__(self, name: str, part: ChildProcess, clock: Callable[[], float] = time.monotonic) -> None:
        self.name, self.part = name, part
        self.trouble = ""
        """Why it is not waited for any more, with the end of its log; empty where all is well."""
        self._clock = clock
        self._news: tuple[object, float] | None = None

    def working(self, view: RunView) -> bool:
        """Whether there is still something to wait for; asked again and again once the others are done."""
        known = view.engines.get(self.name)
        if self.trouble or (known is not None and known.drained):
            return False
        now = self._clock()
        covered = None if known is None else known.covered
        if self._news is None or self._news[0] != covered:
            self._news = (covered, now)
        code = self.part.exit_code()
        if code is not None and not (covered and covered.ended):
            self.trouble = f"its worker ended with exit code {code}{self._log()}"
        elif now - self._news[1] > STALL_SECONDS:
            missing = "anything" if covered is None else ", ".join(covered.missing) or "nothing"
            self.trouble = f"nothing new for {STALL_SECONDS:.0f} s, not ended: {missing}{self._log()}"
        return not self.trouble

    def _log(self) -> str:
        tail = self.part.tail()
        return f"; the end of {self.part.log}:\n{tail}" if tail else "; it has said nothing"


def names_of(engine: str, guests: Sequence[str]) -> dict[str, str]:
    """Return the guests by the name their results stand under.

    Raises:
        EngineError: One is unknown, or two would write under one name.
    """
    taken = {registry.name_of(engine): engine, TRUTH: TRUTH}
    found: dict[str, str] = {}
    for guest in guests:
        name = registry.name_of(guest)
        if name in taken:
            raise EngineError(f"engine {guest!r} cannot run beside {taken[name]!r}: both write under the name {name!r}")
        taken[name] = found[name] = guest
    return found


def any_working(guests: Iterable[ExtraEngine], view: RunView) -> bool:
    """Whether any of them is still worth waiting for; every one is asked."""
    working = [guest.working(view) for guest in guests]
    return any(working)
