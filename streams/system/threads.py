"""Work in a thread of its own beside whoever needs it, and looking again and again until something is there."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self, TypeVar

_T = TypeVar("_T")
LOOK_SECONDS: Final = 0.02


class BackgroundThread:
    """Context manager: inside, ``work`` goes on in a thread; outside, it is over.

    Args:
        name: The thread's name.
        work: Called once, with an event that is set when it has to come to its end soon.
    """

    def __init__(self, name: str, work: Callable[[threading.Event], None]) -> None:
        self.over = threading.Event()
        self._work = work
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self._thread.join()

    def check(self) -> None:
        """Raise what ended the work early, if anything did."""
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._work(self.over)
        except BaseException as error:  # noqa: BLE001 - raised again where it is asked for
            self._failure = error


def poll_until(look: Callable[[], _T | None], seconds: float, pause: float = LOOK_SECONDS) -> _T | None:
    """Look again and again until something is found; None when nothing was in time.

    Args:
        look: Returns what was found, None for nothing yet; may raise when waiting has no sense any more.
        seconds: How long to look; at least one look is taken.
        pause: Seconds between two looks.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None or time.monotonic() >= deadline:
            return found
        time.sleep(pause)
