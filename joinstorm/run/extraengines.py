"""Extra engines: they read the same topics as the run's own engine and are judged like it.

The boards show them next to the run's engine. An extra engine may fail; the run goes on without it.
"""

import time
from collections.abc import Callable, Iterable, Sequence

from joinstorm.run.stalling import STALL_SECONDS, Departure, ReadSince
from joinstorm.run.supervisor import ChildProcess
from streams.contract.names import TRUTH
from streams.engines import registry
from streams.errors import EngineError
from streams.read.runview import RunView


class ExtraEngine:
    """One extra engine.

    Args:
        name: The name of its results.
        part: Its worker.
        clock: Seconds that only grow; injected in tests.
    """

    def __init__(self, name: str, part: ChildProcess, clock: Callable[[], float] = time.monotonic) -> None:
        self.name, self.part = name, part
        self.trouble = ""
        """Why it was given up, with the end of its log; empty where all is well."""
        self._clock = clock
        self._news: tuple[object, float] | None = None
        self._departure = Departure(clock)

    def working(self, view: RunView, read_since: ReadSince) -> bool:
        """Whether it is worth waiting for; called repeatedly once the others have finished.

        It is given up where its worker failed, and where it has counted nothing new for ``STALL_SECONDS``.

        Args:
            view: The results read so far.
            read_since: ``ResultReader.read_since``.
        """
        known = view.engines.get(self.name)
        if self.trouble or (known is not None and known.drained):
            return False
        now = self._clock()
        covered = None if known is None else known.covered
        if self._news is None or self._news[0] != covered:
            self._news = (covered, now)
        code = self.part.exit_code()
        final = self._departure.final(code is not None, read_since)
        if (code or final) and not (covered and covered.ended):
            self.trouble = f"its worker ended with exit code {code}{self._log()}"
        elif now - self._news[1] > STALL_SECONDS:
            missing = "anything" if covered is None else ", ".join(covered.missing) or "nothing"
            self.trouble = f"nothing new for {STALL_SECONDS:.0f} s, not ended: {missing}{self._log()}"
        return not self.trouble

    def _log(self) -> str:
        tail = self.part.tail()
        return f"; the end of {self.part.log}:\n{tail}" if tail else "; its log is empty"


def names_of(engine: str, extra: Sequence[str]) -> dict[str, str]:
    """Return extra engines by the name of their results.

    Args:
        engine: The run's own engine.
        extra: The others, by name or as ``module:Class``.

    Raises:
        EngineError: One is unknown, or two would write under one name.
    """
    used = {registry.name_of(engine): engine, TRUTH: TRUTH}
    found: dict[str, str] = {}
    for one in extra:
        name = registry.name_of(one)
        if name in used:
            raise EngineError(f"engine {one!r} cannot run with {used[name]!r}: both write under the name {name!r}")
        used[name] = found[name] = one
    return found


def any_working(engines: Iterable[ExtraEngine], view: RunView, read_since: ReadSince) -> bool:
    """Whether any extra engine is still worth waiting for; every one of them is checked."""
    working = [one.working(view, read_since) for one in engines]
    return any(working)
