"""Child processes that neither lose a signal at their start nor outlive their parent."""

import contextlib
import ctypes
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

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
    end_with_parent = parent_death()

    def ask() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        end_with_parent()

    return ask


def end_process(process: "subprocess.Popen[Any]", grace_seconds: float) -> None:
    """End a child process: SIGTERM, then SIGKILL if it still runs after ``grace_seconds``; returns when it is gone."""
    process.terminate()
    try:
        process.wait(grace_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def parent_death() -> Callable[[], None]:
    """Return what, called in a child, has the kernel end it with its parent; on Linux, elsewhere it does nothing."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    prctl = ctypes.CDLL(None).prctl  # looked up here: between a fork and its program that would be no good place

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    return ask
