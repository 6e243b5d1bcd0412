"""Child processes that neither lose a signal at their start nor outlive their parent."""

import contextlib
import ctypes
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Final

ENDING: Final = (signal.SIGTERM, signal.SIGINT)
"""The signals that ask a process to end."""
_PR_SET_PDEATHSIG: Final = 1


@contextlib.contextmanager
def held_signals() -> Iterator[None]:
    """Let SIGTERM and SIGINT wait while a process is started and noted down.

    Python runs hooks around a fork and ignores what is raised in them: a signal that came in just then would be lost.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def die_with_parent() -> Callable[[], None]:
    """Return a ``preexec_fn`` that hears signals again and, on Linux, has the kernel end the child with its parent.

    The kernel watches the thread that forks, so children must be started from a thread that lives as long as the run.
    """
    prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform.startswith("linux") else None

    def ask() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    return ask
