"""SIGTERM and Ctrl-C as one exception that ends a command in order, and that nobody on the way can swallow."""

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType

from streams.system.children import ENDING

AGAIN_SECONDS = 1.0


class InterruptedRun(BaseException):
    """SIGTERM or SIGINT reached the process; no fault, so like KeyboardInterrupt no handler may swallow it."""


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turn SIGTERM and SIGINT into ``InterruptedRun``; further signals do not disturb the ending.

    A library may swallow what a signal handler raises: while PyArrow looks for optional packages, whatever comes up in
    between is cleared. So the exception is raised again every ``AGAIN_SECONDS`` (by SIGALRM) until it is being handled,
    and at the end of the block at the latest. For the main thread only, as Python's signal handlers are.

    Raises:
        InterruptedRun: A signal came.
    """
    came = False
    timer = (0.0, 0.0)

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
        nonlocal came, timer
        if not came:
            came = True
            signal.signal(signal.SIGALRM, interrupt)
            timer = signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS, AGAIN_SECONDS)
        if not _is_ending():
            raise InterruptedRun

    alarm = signal.getsignal(signal.SIGALRM)
    before = {number: signal.signal(number, interrupt) for number in ENDING}
    try:
        yield
        if came:
            raise InterruptedRun
    finally:
        if came:
            signal.setitimer(signal.ITIMER_REAL, *timer)
            signal.signal(signal.SIGALRM, alarm)
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_ending() -> bool:
    """Whether ``InterruptedRun`` is being handled where the signal came in: by a ``finally``, an ``__exit__``."""
    error = sys.exception()
    while error is not None:
        if isinstance(error, InterruptedRun):
            return True
        error = error.__context__
    return False
