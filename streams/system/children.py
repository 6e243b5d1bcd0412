"""Child processes that lose no signal while they start and do not outlive their parent, and how to end them."""

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
"""The signals that ask a process to stop."""
Child: TypeAlias = subprocess.Popen[bytes] | subprocess.Popen[str]
Handler: TypeAlias = Callable[[int, FrameType | None], object]
_PR_SET_PDEATHSIG: Final = 1


def python_module(module: str, *arguments: str, python: str = sys.executable) -> list[str]:
    """Return the command line that runs a module with a Python.

    The working folder, where the user's files are, stays off ``sys.path``: a file there named ``json.py`` must not be
    imported in place of the module ``json``.
    """
    return [python, "-P", "-m", module, *arguments]


@contextlib.contextmanager
def handled_signals(handler: Handler) -> Iterator[None]:
    """Handle the signals of ``ENDING`` inside the block, and restore the previous handlers. Main thread only.

    A process started by ``nohup`` keeps ignoring SIGHUP.
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
    """Hold the signals of ``ENDING`` back while a process is started and recorded.

    Python runs hooks around a fork and ignores exceptions in them, so a signal that arrived then would be lost.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def die_with_parent() -> Callable[[], None]:
    """Return a ``preexec_fn`` that unblocks signals and, on Linux, has the kernel kill the child when its parent dies.

    The kernel tracks the forking thread, so start children from a thread that lives as long as the run.
    """
    end_with_parent = parent_death()

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        end_with_parent()

    return prepare


def parent_death() -> Callable[[], None]:
    """Return a function that, called in a child on Linux, has the kernel kill it with its parent; a no-op elsewhere."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    prctl = ctypes.CDLL(None).prctl  # looked up here because it is not safe between fork and exec

    def request() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    return request


def end_processes(
    *processes: Child, seconds: float, number: signal.Signals = signal.SIGTERM, group: bool = False
) -> None:
    """Ask child processes to stop, wait for them, and kill those that still run when time is up.

    Args:
        processes: The children; those that have ended are skipped.
        seconds: Time limit for all of them together.
        number: The signal that asks them to stop.
        group: Whether to signal whole process groups, for children started in a session of their own.
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
    """Send a signal to a child or to its whole process group; a no-op if it is gone."""
    with contextlib.suppress(ProcessLookupError):
        if group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
