"""Starts the parts of a run as processes and ends every one of them, whatever ends the run."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from joinstorm.variables import without_options
from streams.errors import EngineError
from streams.system import children

STOP_SECONDS = 5.0
TAIL_LINES = 15


def joinstorm(*arguments: str) -> list[str]:
    """Return the command line that runs a joinstorm command with this interpreter."""
    return children.python_module("joinstorm.cli", *arguments)


class ChildProcess:
    """One process of a run, its output kept in a log file."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, environ: Mapping[str, str], *, vital: bool = True
    ) -> None:
        self.name = name
        self.log = log
        self.vital = vital
        self.command = list(command)
        with log.open("ab") as output:
            # A session of its own: Ctrl-C reaches the run alone, which then ends its parts in order.
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=children.die_with_parent(),  # noqa: PLW1509 - one system call, looked up before the fork
                env={**environ, "PYTHONUNBUFFERED": "1"},
            )

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid

    def exit_code(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self.process.poll()

    def tail(self) -> str:
        """Return the last lines of its log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-TAIL_LINES:])

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and everything it started; nothing happens where it is gone."""
        children.send(self.process, number, group=True)

    def wait(self, seconds: float) -> int | None:
        """Wait for its end and return the exit code, None when it still runs after ``seconds``."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None


WARM_UP: Final = "warm-up"
"""The part that compiles."""
_COMPILER: Final = "joinstorm.run.warmup"


class Supervisor:
    """Context manager: what is started inside has ended outside.

    Args:
        logs: Folder for one log file per part; made if missing.
        stop_seconds: How long a part may take to end before it is killed.
    """

    def __init__(self, logs: Path, *, stop_seconds: float = STOP_SECONDS) -> None:
        self.logs = logs
        self.stop_seconds = stop_seconds
        self.parts: list[ChildProcess] = []
        self.checks: list[Callable[[], object]] = []
        """Raise where something else that the parts need has ended."""

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(
        self, name: str, command: Sequence[str], environ: Mapping[str, str] | None = None, *, vital: bool = True
    ) -> ChildProcess:
        """Start a part; its output goes to ``<logs>/<name>.log``.

        Args:
            name: Of the part and its log.
            command: What to run.
            environ: Its environment; this process's if not given. Variables of options are left out: a part gets
                its options as arguments.
            vital: Whether the others cannot go on without it.
        """
        with children.held_signals():
            inherited = without_options(os.environ if environ is None else environ)
            part = ChildProcess(name, command, self.logs / f"{name}.log", inherited, vital=vital)
            self.parts.append(part)
        return part

    def warm_up(self) -> ChildProcess:
        """Start compiling the kernels of worker and producer, where this machine has not yet; nothing depends on it."""
        return self.start(WARM_UP, children.python_module(_COMPILER), vital=False)

    def compiling(self) -> bool:
        """Return whether kernels are still being compiled, for which workers and producers wait."""
        return any(part.name == WARM_UP and part.exit_code() is None for part in self.parts)

    def check(self) -> None:
        """Raise EngineError when a vital part has ended with an error; the text holds its last log lines."""
        for check in self.checks:
            check()
        for part in filter(lambda part: part.vital, self.parts):
            code = part.exit_code()
            if code:
                raise EngineError(f"{part.name} ended with exit code {code}; the end of {part.log}:\n{part.tail()}")

    def end(self, part: ChildProcess, number: signal.Signals) -> None:
        """End one part with a signal and forget it: its exit code no longer matters."""
        self.parts.remove(part)
        children.end_processes(part.process, seconds=self.stop_seconds, number=number, group=True)

    def stop(self) -> None:
        """End every part that still runs, newest first: SIGTERM to all, then SIGKILL to what is left."""
        alive = [part for part in reversed(self.parts) if part.exit_code() is None]
        children.end_processes(*(part.process for part in alive), seconds=self.stop_seconds, group=True)
        for part in alive:
            part.signal(signal.SIGKILL)  # what it started itself and left behind
        self.parts = []


def compile_kernels() -> None:
    """Compile the kernels of worker and producer, where this machine has not yet, and wait; nothing depends on it."""
    subprocess.run(children.python_module(_COMPILER), check=False)
