"""Child processes that neither lose a signal at their start nor outlive their parent, and how one is ended."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final, TypeAlias

ENDING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""The signals that ask a process to end."""
Child: TypeAlias = subprocess.Popen[bytes] | subprocess.Popen[str]
Handler: TypeAlias = Callable[[int, FrameType | None], object]
_PR_SET_PDEATHSIG: Final = 1


@contextlib.contextmanager
def handled_signals(handler: Handler) -> Iterator[None]:
    """Have ``handler`` handle every signal that asks to end; the handlers before are back afterwards. Main thread only.

    A process started by ``nohup`` ignores SIGHUP and goes on ignoring it.
    """
    ignores_hangup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    numbers = [number for number in ENDING if not (number == signal.SIGHUP and ignores_hangup)]
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextlib.contextmanager
def held_signals() -> Iterator[None]:
    """Let the signals of ``ENDING`` wait while a process is started and noted down.

    Python runs hooks around a fork and ignores what is raised in them: a signal that arrived just then would be lost.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def die_with_parent() -> Callable[[], None]:
    """Return a ``preexec_fn`` that unblocks signals and, on Linux, has the kernel end the child with its parent.

    The kernel follows the thread that forks, so children must be started from a thread that lives as long as the run.
    """
    end_with_parent = parent_death()

    def ask() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        end_with_parent()

    return ask


def parent_death() -> Callable[[], None]:
    """Return a function that, called in a child, has the kernel end it with its parent; a no-op except on Linux."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    prctl = ctypes.CDLL(None).prctl  # looked up here: between a fork and its program that would be no good place

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    return ask


def end_processes(
    *processes: Child, seconds: float, number: signal.Signals = signal.SIGTERM, group: bool = False
) -> None:
    """Ask child processes to end, wait for them, and kill those that are still there when the time is up.

    Args:
        processes: The children; those that have ended already are left alone.
        seconds: How long they have, all together.
        number: The signal that asks.
        group: Signal whole process groups; for children that were started with a session of their own.
    """
    alive = [process for process in processes if process.poll() is None]
    for process in alive:
        send(process, number, group=group)
    deadline = time.monotonic() + seconds
    for process in alive:
        try:
            process.wait(max(0.05, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            send(process, signal.SIGKILL, group=group)
            process.wait()


def send(process: Child, number: signal.Signals, *, group: bool = False) -> None:
    """Send a signal to a child, or to its whole process group; nothing happens where it is gone."""
    with contextlib.suppress(ProcessLookupError):
        if group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
