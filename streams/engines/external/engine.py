"""Engine ``external``: any program, in any language, that implements the contract of docs/adding-an-engine.md.

The engine option ``command`` is the program's command line, split like a shell would, but started without a shell. Its
settings are in environment variables (see ``environment``). SIGTERM stops it, and it ends whenever its worker ends.
"""

import os
import shlex
import subprocess
import time
from typing import Final, Self

from kafka.errors import KafkaError

from streams.contract import runinfo
from streams.engines.abstract import Engine, Summary, WorkerSettings
from streams.engines.shared.statefolder import forget, state_folder
from streams.engines.shared.stopping import RunEnd, stop_signals
from streams.errors import BrokerError, EngineError, UsageError
from streams.kafka.progressreader import ProgressReader
from streams.system.children import die_with_parent, end_processes, held_signals

COMMAND: Final = "command"
LEAVE_SECONDS: Final = 5.0
"""How long the program may run on when the run is done, before it gets SIGTERM."""
STOP_SECONDS: Final = 10.0


class ExternalEngine(Engine):
    """Starts the program and follows the progress it publishes."""

    name = "external"

    def run(self, settings: WorkerSettings) -> Summary:
        """Run the program until the run is done.

        Raises:
            UsageError: No command is given.
            EngineError: The program cannot be started, or it ended before the run was done.
        """
        line = shlex.split(settings.options.get(COMMAND, ""))
        if not line:
            raise UsageError("engine 'external' needs the program to run: --option command='java -jar engine.jar'")
        try:
            end = _RunEndReader(settings)
        except KafkaError as error:
            raise BrokerError(f"{settings.connection.bootstrap_servers}: {error}") from error
        with stop_signals() as stop, end:
            try:
                with held_signals():
                    child = subprocess.Popen(
                        line,
                        stdin=subprocess.DEVNULL,
                        env={**settings.connection.environ(os.environ), **environment(settings)},
                        preexec_fn=die_with_parent(),  # noqa: PLW1509 - one system call, looked up before the fork
                    )
            except OSError as error:
                raise EngineError(f"{line[0]}: cannot be started: {error}") from error
            try:
                while not stop.is_set() and not end.reached():
                    if child.poll() is not None and not end.reached():
                        raise EngineError(f"{line[0]} ended with exit code {child.returncode} before the run was done")
                if end.reached():
                    _leave(child)
            finally:
                end_processes(child, seconds=STOP_SECONDS)
        if end.reached():
            forget(state_folder(settings))
        return Summary(ended=end.reached(), cpu_seconds=time.process_time() + _children())


def environment(settings: WorkerSettings) -> dict[str, str]:
    """Return the program's settings, by environment variable."""
    info = settings.info
    return {
        "JOINSTORM_BOOTSTRAP_SERVERS": settings.connection.bootstrap_servers,
        "JOINSTORM_RUN_INFO": runinfo.encode(info).decode(),
        "JOINSTORM_RUN_ID": info.run,
        "JOINSTORM_ENGINE": settings.engine,
        "JOINSTORM_WORKER": "" if settings.worker is None else str(settings.worker),
        "JOINSTORM_STATE_DIR": str(state_folder(settings)),
        "JOINSTORM_CHECKPOINT_SECONDS": f"{settings.checkpoint_seconds:g}",
    }


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
        self._open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        self._reader.close()

    def reached(self) -> bool:
        """Read for up to 0.2 s and return whether the run is done."""
        if self._open and not self._end.reached:
            for progress in self._reader.poll(200):
                self._end.put(progress)
        return self._end.reached
