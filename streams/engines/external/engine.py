"""Engine ``external``: any program, in any language, that implements the contract of docs/adding-an-engine.md.

The program is given as ``external:COMMAND``, by an engine file, or as the option ``command`` of the engine
``external``. It is started without a shell. Its settings are in environment variables (see ``environment``). SIGTERM
stops it, and it ends whenever its worker ends.
"""

import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Self

from kafka.errors import KafkaError

from streams.contract import runinfo
from streams.engines.abstract import Engine, Summary, WorkerSettings
from streams.engines.program import Program
from streams.engines.shared.statefolder import OPTION as STATE_DIR
from streams.engines.shared.statefolder import forget, state_folder
from streams.engines.shared.stopping import RunEnd, stop_signals
from streams.errors import BrokerError, EngineError, NotInstalledError
from streams.kafka.progressreader import ProgressReader
from streams.system.children import die_with_parent, end_processes, held_signals

COMMAND: Final = "command"
LEAVE_SECONDS: Final = 5.0
"""How long the program may run on when the run is done, before it gets SIGTERM."""
STOP_SECONDS: Final = 10.0
READ_SECONDS: Final = 60.0
"""How long reading the rest of ``results.progress`` may take, once the program has ended."""
SIGNAL_SECONDS: Final = 0.5
"""A program may end of a signal just before its worker, which got the same one, has noticed it."""


class ExternalEngine(Engine):
    """Starts the program and follows the progress it publishes.

    Args:
        program: The program; if not given, the engine option ``command`` names it.
    """

    name = "external"

    def __init__(self, program: Program | None = None) -> None:
        self.program = program or Program("")
        self.name = self.program.name  # type: ignore[misc]  # one class for all programs, each with its name

    def require(self, options: Mapping[str, str]) -> None:
        """Check that the program can be started; see ``Program.require``."""
        self._program(options).require()

    def _program(self, options: Mapping[str, str]) -> Program:
        """Return the program with further options of its own; the option ``command`` replaces its command line."""
        own = {name: value for name, value in options.items() if name not in {COMMAND, STATE_DIR}}
        program = replace(self.program, options={**self.program.options, **own})
        return replace(program, command=options[COMMAND]) if COMMAND in options else program

    def run(self, settings: WorkerSettings) -> Summary:
        """Run the program until the run is done.

        Raises:
            UsageError: No command is given.
            NotInstalledError: There is no such program.
            EngineError: The program cannot be started, or it ended before the run was done.
        """
        program = self._program(settings.options)
        program.require()
        begin = time.monotonic()
        try:
            end = _RunEndReader(settings)
        except KafkaError as error:
            raise BrokerError(f"{settings.connection.bootstrap_servers}: {error}") from error
        with end:
            _followed(program, settings, end)
        if end.reached:
            forget(state_folder(settings))
        return end.summary(time.monotonic() - begin)


def _followed(program: Program, settings: WorkerSettings, end: "_RunEndReader") -> None:
    """Run the program until the run is done or a signal asks to stop."""
    with stop_signals() as stop:
        child = _started(program, settings)
        try:
            while not stop.is_set() and not end.reached:
                end.read()
                # A program that was asked to stop may end in any way it likes; otherwise its last records count.
                if child.poll() is not None and not stop.wait(SIGNAL_SECONDS) and not end.read_all():
                    word = f"{program.words()[0]} ended with exit code {child.returncode} before the run was done"
                    raise EngineError(f"{word}: {end.missing()}")
            if end.reached:
                _leave(child)
        finally:
            end_processes(child, seconds=STOP_SECONDS)
        end.read_all()  # what the program wrote before it stopped


def _started(program: Program, settings: WorkerSettings) -> subprocess.Popen[bytes]:
    words = program.words()
    try:
        with held_signals():
            return subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                cwd=program.folder,
                env={**settings.connection.environ(os.environ), **environment(settings, program.options)},
                preexec_fn=die_with_parent(),  # noqa: PLW1509 - one system call, looked up before the fork
            )
    except OSError as error:
        raise NotInstalledError(f"{words[0]}: cannot be started: {error}") from error


def environment(settings: WorkerSettings, options: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the program's settings, by environment variable."""
    info = settings.info
    return {
        "JOINSTORM_BOOTSTRAP_SERVERS": settings.connection.bootstrap_servers,
        "JOINSTORM_RUN_INFO": runinfo.encode(info).decode(),
        "JOINSTORM_RUN_ID": info.run,
        "JOINSTORM_ENGINE": settings.engine,
        "JOINSTORM_WORKER": "" if settings.worker is None else str(settings.worker),
        "JOINSTORM_STATE_DIR": str(state_folder(settings).absolute()),
        "JOINSTORM_CHECKPOINT_SECONDS": f"{settings.checkpoint_seconds:g}",
        **{_variable(name): value for name, value in (options or {}).items()},
    }


def _variable(option: str) -> str:
    """Return the variable of an option: ``JOINSTORM_OPTION_BATCH_SIZE`` of ``batch-size``."""
    return "JOINSTORM_OPTION_" + "".join(c if c.isalnum() else "_" for c in option).upper()


def _leave(child: subprocess.Popen[bytes]) -> None:
    """Let the program end on its own, because it may still be about to notice the end of the run; then stop it."""
    try:
        child.wait(LEAVE_SECONDS)
    except subprocess.TimeoutExpired:
        child.terminate()


def _children() -> float:
    times = os.times()
    return times.children_user + times.children_system


class _RunEndReader:
    """Reads ``results.progress`` in small steps until the run is done."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._end = RunEnd(settings.info, settings.engine)
        self._reader = ProgressReader(settings.connection, settings.info)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    @property
    def reached(self) -> bool:
        """Whether what was read so far has the end of the run."""
        return self._end.reached

    def read(self) -> None:
        """Read for up to 0.2 s."""
        for progress in self._reader.poll(200):
            self._end.put(progress)

    def read_all(self) -> bool:
        """Read to the present end of the topic and return whether the run is done."""
        for progress in self._reader.to_end(READ_SECONDS):
            self._end.put(progress)
        return self.reached

    def missing(self) -> str:
        """Return what is missing for the end."""
        return self._end.missing()

    def summary(self, seconds: float) -> Summary:
        """Return the outcome; a program's only figures are its progress, which is that of all workers together."""
        covered = self._end.covered()
        return Summary(
            ended=covered.ended,
            events=sum(covered.events.values()),
            duplicates=sum(covered.duplicates.values()),
            dead_letters=sum(covered.dead_letters.values()),
            seconds=seconds,
            cpu_seconds=time.process_time() + _children(),
        )
