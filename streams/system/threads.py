"""Work in a background thread, and polling until a condition holds."""

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self, TypeVar

log = logging.getLogger(__name__)
_T = TypeVar("_T")
POLL_SECONDS: Final = 0.02


class BackgroundThread:
    """Context manager that runs ``work`` in a thread; the thread has ended when the block is left.

    What ends the work is raised by ``check``, or at the latest where the block is left, unless an exception ends that.

    Args:
        name: The thread's name.
        work: Called once, with an event; once that is set, the work must return soon.
        end_seconds: How long to wait for its end; after that the thread is left behind, with a warning.
    """

    def __init__(self, name: str, work: Callable[[threading.Event], None], *, end_seconds: float | None = None) -> None:
        self.over = threading.Event()
        self._work = work
        self._end_seconds = end_seconds
        self._failure: BaseException | None = None
        self._reported = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self._thread.join(self._end_seconds)
        if self._thread.is_alive():
            log.warning("thread %s goes on after %g s: it waits for something", self._thread.name, self._end_seconds)
        if error is None and not self._reported:
            self.check()

    def check(self) -> None:
        """Raise the exception that ended the work, if there was one."""
        if self._failure is not None:
            self._reported = True
            raise self._failure

    def _run(self) -> None:
        try:
            self._work(self.over)
        except BaseException as error:  # noqa: BLE001 - raised again by ``check``, or where the block ends
            self._failure = error


def poll_until(probe: Callable[[], _T | None], seconds: float, pause: float = POLL_SECONDS) -> _T | None:
    """Call ``probe`` until it returns a value, and return that; None when time is up.

    Args:
        probe: Returns the value, or None while there is none; may raise to give up early.
        seconds: How long to poll; ``probe`` is called at least once.
        pause: Seconds between two calls.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = probe()
        if found is not None or time.monotonic() >= deadline:
            return found
        time.sleep(pause)
