"""How child processes are ended: asked first, killed when the time is up."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from streams.system import children

UP = "print('up', flush=True); time.sleep(600)"
POLITE = f"import time; {UP}"
DEAF = f"import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); {UP}"
PARENT = (
    f"import subprocess, sys, time; print(subprocess.Popen([sys.executable, '-c', {POLITE!r}]).pid, flush=True); {UP}"
)


@contextmanager
def child(code: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a Python program with a session of its own; yield it and its first line."""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline()
        children.send(process, signal.SIGKILL, group=True)


def test_a_child_is_asked_and_a_deaf_one_is_killed() -> None:
    """Each ends by the signal that was enough; both share the time."""
    with child(POLITE) as (polite, _), child(DEAF) as (deaf, _):
        children.end_processes(polite, deaf, seconds=0.3)
        assert (polite.returncode, deaf.returncode) == (-signal.SIGTERM, -signal.SIGKILL)


def test_another_signal_may_ask() -> None:
    """SIGINT, which Python turns into KeyboardInterrupt, unless a shell ignores it for what it starts with ``&``."""
    heard = "import signal, time; signal.signal(signal.SIGINT, signal.default_int_handler)"
    with child(f"{heard}\ntry: {UP}\nexcept KeyboardInterrupt: raise SystemExit(7)") as (one, _):
        children.end_processes(one, seconds=10, number=signal.SIGINT)
        assert one.returncode == 7


def test_a_child_that_has_ended_keeps_its_exit_code() -> None:
    """It is sent nothing, neither alone nor with its group."""
    with child("raise SystemExit(3)") as (process, _):
        process.wait()
        children.end_processes(process, seconds=1)
        children.end_processes(process, seconds=1, group=True)
        children.send(process, signal.SIGKILL, group=True)
        assert process.returncode == 3


def test_a_group_ends_with_its_leader() -> None:
    """What the child itself started is signalled as well."""
    with child(PARENT) as (process, first):
        below = psutil.Process(int(first))
        children.end_processes(process, seconds=10, group=True)
        _, alive = psutil.wait_procs([below], timeout=10)
        assert not alive


def test_signals_are_handled_inside_only() -> None:
    """SIGTERM, SIGINT and SIGHUP reach the handler, and the handlers before are back afterwards."""
    arrived = list[int]()
    before = [signal.getsignal(number) for number in children.ENDING]
    with children.handled_signals(lambda number, _: arrived.append(number)):
        for number in children.ENDING:
            os.kill(os.getpid(), number)
    assert arrived == list(children.ENDING)
    assert [signal.getsignal(number) for number in children.ENDING] == before
