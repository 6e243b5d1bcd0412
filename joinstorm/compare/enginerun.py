"""One engine on one run: its workers as processes, and the progress it reports."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from kafka.errors import KafkaError

from joinstorm.compare.progresslog import ProgressLog, ProgressSample
from joinstorm.engines.undertest import EngineUnderTest
from joinstorm.run.supervisor import ChildProcess, Supervisor, joinstorm
from streams.contract.progress import Covered
from streams.contract.runinfo import RunInfo
from streams.errors import BrokerError, EngineError
from streams.kafka.connection import Connection
from streams.kafka.progressreader import published

READ_SECONDS: Final = 60.0
"""How long reading an engine's whole progress may take."""


@dataclass
class EngineRun:
    """Context manager: one engine on one run; its workers end with the block.

    Args:
        connection: The broker.
        engine: The engine.
        info: The run, opened.
        logs: Folder for logs and state.
        workers: How many workers.
        name: The engine name of its results; the engine's own if empty.
        silence: Seconds without progress after which the engine counts as stuck.
    """

    connection: Connection
    engine: EngineUnderTest
    info: RunInfo
    logs: Path
    workers: int = 1
    name: str = ""
    silence: float = 120.0
    parts: list[ChildProcess] = field(default_factory=list, init=False)
    supervisor: Supervisor = field(init=False)
    log: ProgressLog = field(init=False)
    started: float = field(default_factory=time.monotonic, init=False)
    _open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack, init=False)

    def __post_init__(self) -> None:
        """Fill in the name and make ready, without starting anything."""
        self.name = self.name or self.engine.name
        self.supervisor = Supervisor(self.logs)

    def __enter__(self) -> Self:
        self.started = time.monotonic()
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.supervisor)
            self.log = stack.enter_context(ProgressLog(self.connection, self.info))
            self._open = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def start(self) -> float:
        """Start all workers and return when, in monotonic seconds."""
        begin = self.started = time.monotonic()
        self.parts = [self._start(number) for number in range(self.workers)]
        return begin

    def _start(self, number: int) -> ChildProcess:
        where = ["--bootstrap-servers", self.connection.bootstrap_servers, "--run", self.info.run]
        where += ["--topic-prefix", self.info.prefix] if self.info.prefix else []
        which = ["--name", self.name, "--worker", str(number), "--option", f"state_dir={self.logs / 'state'}"]
        command = joinstorm("stream", *self.engine.start, *where, *which)
        return self.supervisor.start(f"{self.name}-{number}", command, self.connection.environ(os.environ))

    def kill(self) -> float:
        """Kill the first worker and start it again; returns when it was killed."""
        self.parts[0].signal(signal.SIGKILL)
        at = time.monotonic()
        self.parts[0].process.wait()
        self.parts[0] = self._start(0)
        return at

    def wait(self, what: str, predicate: Callable[[ProgressSample], bool], seconds: float) -> ProgressSample:
        """Wait until the engine's progress satisfies ``predicate``.

        Raises:
            EngineError: It did not in time, or a worker failed; the text has its last log lines.
        """
        found = self.log.wait(self.name, predicate, seconds, self.check)
        if found is None:
            raise EngineError(f"{self.name}: {what} not within {seconds:.0f} s; the end of its log:\n{self.tail()}")
        return found

    def _published(self) -> Covered:
        """Return what the engine has published until now, read to the end of the topic."""
        try:
            return published(self.connection, self.info, self.name, READ_SECONDS)
        except KafkaError as error:
            raise BrokerError(f"{self.connection.bootstrap_servers}: {error}") from error

    def tail(self) -> str:
        """Return the last lines of the first worker's log."""
        return self.parts[0].tail() if self.parts else ""

    def check(self) -> None:
        """Raise EngineError when a worker has ended before its work was done, or the engine reports no progress.

        The text has the last log lines.
        """
        last = self.log.last(self.name)
        if last and last.ended:
            return
        for part in self.parts:
            code = part.exit_code()
            # The log may not have read its last record yet.
            if code is not None and not (found := self._published()).ended:
                missing = ", ".join(found.missing)
                raise EngineError(
                    f"{part.name} ended with exit code {code}, without the end of {missing}; the end of its log:\n"
                    f"{part.tail()}"
                )
        if self.log.silent_for(self.name, self.started) > self.silence:
            raise EngineError(
                f"{self.name} has reported no progress for {self.silence:g} s; the end of its log:\n{self.tail()}"
            )
