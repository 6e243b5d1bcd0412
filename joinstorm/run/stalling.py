"""Engines that do not go on: nothing new is counted, or all workers have ended and their results have not."""

import time
from collections.abc import Callable
from typing import Final, TypeAlias

from streams.contract.names import TRUTH
from streams.errors import DeadlineError, EngineError
from streams.read.runview import RunView

STALL_SECONDS: Final = 90.0
"""An engine that counts nothing new for this long counts as stuck."""
GRACE_SECONDS: Final = 15.0
"""Workers that have ended may be started again for this long."""

ReadSince: TypeAlias = Callable[[float], bool]
"""Whether everything that had been written at a moment, in monotonic seconds, has been read."""


class Departure:
    """Since when all workers of an engine are gone.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None
        self._read = False

    def final(self, gone: bool, read_since: ReadSince) -> bool:
        """Whether nothing more can come: they are gone, they have had their grace, and all they wrote has been read.

        A network that is slow or silent keeps results from being read, for longer than any grace. True from the second
        look on that finds all this, so that a view taken before each look has what the look before found.

        Args:
            gone: Whether all workers have ended.
            read_since: ``ResultReader.read_since``.
        """
        if not gone:
            self._since, self._read = None, False
            return False
        if self._since is None:
            self._since = self._clock()
        before, self._read = self._read, read_since(self._since)
        return before and self._clock() - self._since > GRACE_SECONDS


class Stall:
    """Notices that an engine has stopped counting, or that its workers ended before its results were complete.

    Args:
        engine: Its name.
        read_since: ``ResultReader.read_since``.
        clock: Monotonic seconds.
        excused: Whether nothing can be expected of it now: the time does not count.
    """

    def __init__(
        self,
        engine: str,
        read_since: ReadSince,
        clock: Callable[[], float] = time.monotonic,
        excused: Callable[[], bool] = bool,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._excused = excused
        self._since = clock()
        self._last: object = None
        self._read_since = read_since
        self._departure = Departure(clock)

    def check(
        self,
        view: RunView,
        gone: bool,
        log_end: Callable[[], str],
        ailing: Callable[[], list[str]] = list,
    ) -> None:
        """Look at the results read so far.

        Args:
            view: The results.
            gone: Whether all workers have ended.
            log_end: The end of the log of one of them, for the error.
            ailing: What is wrong with the cluster, for the error.

        Raises:
            EngineError: All workers have ended, and the engine's results have not.
            DeadlineError: It has counted nothing new for ``STALL_SECONDS``.
        """
        engine = view.engines.get(self._engine)
        if self._departure.final(gone, self._read_since) and (engine is None or not engine.covered.ended):
            raise EngineError(f"engine {self._engine}: every worker has ended, and its results have not{log_end()}")
        read = [view.engines[name].results for name in (self._engine, TRUTH) if name in view.engines]
        state = (view.status, None if engine is None else engine.covered, read)
        paused = view.status is not None and view.status.state == "paused"
        if paused or state != self._last or self._excused():
            self._last, self._since = state, self._clock()
        if self._clock() - self._since > STALL_SECONDS:
            if found := ailing():
                raise DeadlineError(f"engine {self._engine}: nothing new for {STALL_SECONDS:.0f} s: {'; '.join(found)}")
            missing = "anything" if engine is None else ", ".join(engine.covered.missing) or "nothing"
            silent = f"nothing new for {STALL_SECONDS:.0f} s; not ended: {missing}"
            raise DeadlineError(f"engine {self._engine}: {silent}{log_end()}")
