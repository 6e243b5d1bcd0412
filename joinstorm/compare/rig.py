"""One engine on one run: its workers as processes, and what it says."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from joinstorm.compare.progresslog import ProgressLog, ProgressSample
from joinstorm.engines.undertest import EngineUnderTest
from joinstorm.run.supervisor import ChildProcess, Supervisor, joinstorm
from streams.contract.runinfo import RunInfo
from streams.errors import EngineError
from streams.kafka.connection import Connection


@dataclass
class Rig:
    """Context manager: one engine on one run; outside, its workers are gone.

    Args:
        connection: The broker.
        subject: The engine.
        info: The run, opened.
        logs: Folder for logs and state.
        workers: How many workers.
        name: What its results stand under; the subject's name if empty.
        silence: Seconds without a word of progress after which it is taken for stuck.
    """

    connection: Connection
    subject: EngineUnderTest
    info: RunInfo
    logs: Path
    workers: int = 1
    name: str = ""
    silence: float = 60.0
    parts: list[ChildProcess] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Fill in the name."""
        self.name = self.name or self.subject.engine

    def __enter__(self) -> Self:
        self.begun = time.monotonic()
        self.supervisor = Supervisor(self.logs).__enter__()
        self.log = ProgressLog(self.connection, self.info).__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.log.__exit__(None, None, None)
        self.supervisor.__exit__(None, None, None)

    def start(self) -> float:
        """Start all workers and return when, in monotonic seconds."""
        begin = self.begun = time.monotonic()
        self.parts = [self._start(number) for number in range(self.workers)]
        return begin

    def _start(self, number: int) -> ChildProcess:
        where = ["--bootstrap-servers", self.connection.bootstrap_servers, "--run", self.info.run]
        where += ["--topic-prefix", self.info.prefix] if self.info.prefix else []
        which = ["--name", self.name, "--worker", str(number), "--option", f"state_dir={self.logs / 'state'}"]
        command = joinstorm("stream", *self.subject.start, *where, *which)
        return self.supervisor.start(f"{self.name}-{number}", command, self.connection.environ(os.environ))

    def kill(self) -> float:
        """Kill the first worker and start it again; returns when it was killed."""
        self.parts[0].signal(signal.SIGKILL)
        at = time.monotonic()
        self.parts[0].process.wait()
        self.parts[0] = self._start(0)
        return at

    def wait(self, what: str, predicate: Callable[[ProgressSample], bool], seconds: float) -> ProgressSample:
        """Wait for a word of the engine.

        Raises:
            EngineError: It did not come in time, or a worker failed; the text has its last log lines.
        """
        found = self.log.wait(self.name, predicate, seconds, self.check)
        if found is None:
            raise EngineError(f"{self.name}: {what} not within {seconds:.0f} s; the end of its log:\n{self.tail()}")
        return found

    def tail(self) -> str:
        """Return the last lines of the first worker's log."""
        return self.parts[0].tail() if self.parts else ""

    def check(self) -> None:
        """Raise EngineError when a worker has ended before its work was done, or none says anything any more.

        The text has its last log lines.
        """
        last = self.log.last(self.name)
        if last and last.ended:
            return
        for part in self.parts:
            code = part.exit_code()
            if code is not None:
                raise EngineError(f"{part.name} ended with exit code {code}; the end of its log:\n{part.tail()}")
        if self.log.silent_for(self.name, self.begun) > self.silence:
            raise EngineError(
                f"{self.name} has said nothing for {self.silence:g} s; the end of its log:\n{self.tail()}"
            )
