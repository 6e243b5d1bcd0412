"""SIGTERM, SIGHUP and Ctrl-C as one exception that ends a command in order and that no handler can swallow."""

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType

from streams.system.children import handled_signals

AGAIN_SECONDS = 1.0


class InterruptedRun(BaseException):
    """A signal asked the process to end; no fault, so like KeyboardInterrupt no handler may swallow it."""


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turn the signals that ask to end into ``InterruptedRun``; further signals do not disturb the ending.

    A library may swallow what a signal handler raises: PyArrow clears every exception while it searches for optional
    packages. So the exception is raised again every ``AGAIN_SECONDS`` (by SIGALRM) until it is being handled, and at
    the end of the block at the latest. For the main thread only, as Python's signal handlers are.

    Raises:
        InterruptedRun: A signal arrived.
    """
    arrived = False
    timer = (0.0, 0.0)

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
        nonlocal arrived, timer
        if not arrived:
            arrived = True
            signal.signal(signal.SIGALRM, interrupt)
            timer = signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS, AGAIN_SECONDS)
        if not _is_ending():
            raise InterruptedRun

    alarm = signal.getsignal(signal.SIGALRM)
    with handled_signals(interrupt):
        try:
            yield
            if arrived:
                raise InterruptedRun
        finally:
            if arrived:
                signal.setitimer(signal.ITIMER_REAL, *timer)
                signal.signal(signal.SIGALRM, alarm)


def _is_ending() -> bool:
    """Whether a ``finally`` or an ``__exit__`` is handling ``InterruptedRun`` where the signal arrived."""
    error = sys.exception()
    while error is not None:
        if isinstance(error, InterruptedRun):
            return True
        error = error.__context__
    return False
