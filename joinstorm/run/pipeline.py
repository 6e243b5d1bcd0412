"""One replay with everything it needs, each part a process of its own: truth, workers and producer around a broker."""

import contextlib
import json
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from joinstorm.run.extraengines import ExtraEngine, any_working, names_of
from joinstorm.run.supervisor import ChildProcess, Supervisor, joinstorm
from producers.moments import moment_ms
from producers.replay.control import ControlClient
from producers.replay.opening import open_run
from producers.replay.schedule import default_watermark_step
from producers.tape.tapefile import Tape
from streams.contract.names import TRUTH
from streams.contract.runinfo import Faults, RunInfo
from streams.contract.topics import DEFAULT_PARTITIONS
from streams.engines.registry import name_of
from streams.errors import DeadlineError, EngineError, EnvironmentMissingError
from streams.kafka.connection import Connection
from streams.read.reader import ResultReader
from streams.read.runview import RunView

LOOK_SECONDS = 0.25
STALL_SECONDS = 90.0
"""An engine that counts nothing new for so long, with everything sent, is taken for stuck."""
GRACE_SECONDS = 15.0
"""Workers that are done may be gone before all they wrote has been read."""


def run_id() -> str:
    """Return a run id nobody else uses, that tells when it was made."""
    return f"run-{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:6]}"


@dataclass(frozen=True)
class PipelineRequest:
    """What to replay and how.

    Args:
        tape: The tape.
        connection: The broker.
        engine: The engine, by name or as ``module:Class``.
        workers: Worker processes in one group.
        speed: Event seconds per second, 0 for as fast as it goes.
        client: ``kafka-python`` or ``aiokafka``.
        prefix: Put before every topic name.
        partitions: Partitions of each input topic.
        replication: Copies of each topic.
        skip_quiet: Send quiet phases at full speed.
        begin: A moment before which everything is sent at full speed.
        until: A moment after which everything is sent at full speed.
        replay_options: Further options of ``joinstorm replay``.
        faults: What is to go wrong in the stream.
        faults_file: Where every injected fault is written; beside the tape if not given.
        beside: Further engines on the same topics, one worker each; the run goes on without them if they fail.
        run: Run id; made up if not given.
    """

    tape: Path
    connection: Connection
    engine: str = "faust"
    workers: int = 1
    speed: float = 0.0
    client: str = "kafka-python"
    prefix: str = ""
    partitions: int = DEFAULT_PARTITIONS
    replication: int = 1
    skip_quiet: bool = False
    begin: str | None = None
    until: str | None = None
    replay_options: tuple[str, ...] = ()
    faults: Faults | None = None
    faults_file: Path | None = None
    beside: tuple[str, ...] = ()
    run: str = field(default_factory=run_id)

    @cached_property
    def name(self) -> str:
        """What the engine's results stand under."""
        return name_of(self.engine)


class MovedError(Exception):
    """The deck was told to be at an earlier moment: the replay goes on in a run of its own.

    Args:
        run: Its id.
    """

    def __init__(self, run: str) -> None:
        super().__init__(run)
        self.run = run


class Pipeline:
    """The parts of one replay; the supervisor ends them.

    Args:
        plan: What to replay and how.
        supervisor: Starts the parts and keeps their logs.
    """

    def __init__(self, plan: PipelineRequest, supervisor: Supervisor) -> None:
        self.plan = plan
        self.supervisor = supervisor
        self.workers: dict[int, ChildProcess] = {}
        self.guests: list[ExtraEngine] = []
        self.replay: ChildProcess | None = None
        self.truth: ChildProcess | None = None
        self.info: RunInfo | None = None

    def open(self) -> RunInfo:
        """Create the topics and publish what engines must know.

        Raises:
            UsageError: ``begin`` or ``until`` is not a moment of the night.
        """
        plan = self.plan
        tape = Tape.open(plan.tape).info
        for moment in filter(None, (plan.begin, plan.until)):
            moment_ms(moment, tape.phases, tape.start, tape.end, tape.start)
        self.info = open_run(
            plan.connection,
            tape,
            run=plan.run,
            prefix=plan.prefix,
            partitions=plan.partitions,
            replication=plan.replication,
            watermark_step_ms=default_watermark_step(plan.speed),
            faults=plan.faults,
        )
        return self.info

    def start_truth(self) -> ChildProcess:
        """Start the oracle; it publishes the truth and ends."""
        self.truth = self.start("truth", "truth", str(self.plan.tape), *self._where())
        return self.truth

    def start_worker(self, index: int) -> ChildProcess:
        """Start the worker with the number ``index``, again if it was there before."""
        options = ["--engine", self.plan.engine, "--worker", str(index), "--metrics-port", "0"]
        part = self.start(f"worker-{index}", "stream", *options, *self._where())
        self.workers[index] = part
        return part

    def start_guests(self) -> None:
        """Start the engines that run beside."""
        for name, engine in names_of(self.plan.engine, self.plan.beside).items():
            state = ["--option", f"state_dir={self.supervisor.logs / 'state'}"]
            arguments = ["--engine", engine, "--worker", "0", *state, *self._where()]
            self.guests.append(ExtraEngine(name, self.start(f"beside-{name}", "stream", *arguments, vital=False)))

    def start_replay(self, *further: str) -> ChildProcess:
        """Start the producer."""
        plan = self.plan
        options = ["--speed", f"{plan.speed:g}" if plan.speed else "max", "--client", plan.client, "--format", "json"]
        options += ["--replication", f"{plan.replication}"]  # of the run that a jump back begins
        options.append("--no-verify")  # the truth does, beside it; a damaged tape ends the run
        if plan.skip_quiet:
            options.append("--skip-quiet")
        for option, moment in (("--from", plan.begin), ("--until", plan.until)):
            options += [option, moment] if moment else []
        if plan.faults_file is not None:
            options += ["--faults-file", str(plan.faults_file)]
        arguments = [str(plan.tape), *options, *self._where(), *plan.replay_options, *further]
        self.replay = self.start("replay", "replay", *arguments)
        return self.replay

    def start(self, name: str, command: str, *arguments: str, vital: bool = True) -> ChildProcess:
        """Start a joinstorm command under this name; how to log in it reads in its environment, which others cannot."""
        environ = self.plan.connection.environ(os.environ)
        return self.supervisor.start(name, joinstorm(command, *arguments), environ, vital=vital)

    def move(self, run: str) -> None:
        """Go on with another run of the replay: engines and truth begin anew."""
        guests = [guest.part for guest in self.guests]
        for part in [*self.workers.values(), *guests, *([self.truth] if self.truth else [])]:
            self.supervisor.end(part, signal.SIGTERM)
        self.plan = replace(self.plan, run=run)
        for index in list(self.workers):
            self.start_worker(index)
        self.guests.clear()
        self.start_guests()
        self.start_truth()

    def deck(self) -> ControlClient:
        """Return the deck of the producer; raises EnvironmentMissingError when it does not listen, or not yet."""
        return ControlClient.find(pid=self.replay.pid if self.replay else None)

    def _where(self) -> list[str]:
        plan = self.plan
        where = ["--bootstrap-servers", plan.connection.bootstrap_servers, "--run", plan.run]
        return [*where, "--topic-prefix", plan.prefix] if plan.prefix else where

    def views(self, reader: ResultReader) -> Iterator[RunView]:
        """Yield what is known, a few times a second, until engines and truth are drained and the producer is done.

        The engines beside are waited for as long as they get on; what stopped one is its ``trouble``.

        Raises:
            MovedError: The producer was told to jump back, and goes on in another run.
            EngineError: A part failed, or ended before its work was done; the text holds its last log lines.
            DeadlineError: Everything was sent and the engine has counted nothing new for a long time.
        """
        stall = _Stall(self.plan.name)
        while True:
            view = reader.snapshot()
            yield view
            self.supervisor.check()
            self._check_run(view)
            if all(name in view.engines and view.engines[name].drained for name in (self.plan.name, TRUTH)):
                break
            stall.look(view, self._workers_gone(), self._last_words)
            time.sleep(LOOK_SECONDS)
        if self.replay is not None:
            self.replay.process.wait()
            self.supervisor.check()
        while any_working(self.guests, view := reader.snapshot()):
            yield view
            time.sleep(LOOK_SECONDS)
        yield reader.snapshot()

    def _check_run(self, view: RunView) -> None:
        """See whether a run that is said to have failed has only been left for another one."""
        if view.status is not None and view.status.state == "failed":
            with contextlib.suppress(EnvironmentMissingError):
                run = self.deck().state()["run"]
                if run != self.plan.run:
                    raise MovedError(run)

    def _workers_gone(self) -> bool:
        return bool(self.workers) and all(part.exit_code() is not None for part in self.workers.values())

    def _last_words(self) -> str:
        """Return the end of the first worker's log, as the end of a sentence."""
        part = next(iter(self.workers.values()), None)
        return f"; the end of {part.log}:\n{part.tail()}" if part else ""

    def replay_summary(self) -> dict[str, Any]:
        """Return what the producer said of itself when it ended."""
        if self.replay is None:
            return {}
        lines = [line for line in self.replay.log.read_text().splitlines() if line.startswith("{")]
        summary: dict[str, Any] = json.loads(lines[-1]) if lines else {}
        return summary


class _Stall:
    """Notices that an engine has stopped counting, or has ended before its results have."""

    def __init__(self, engine: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._since = clock()
        self._last: object = None
        self._gone: float | None = None

    def look(self, view: RunView, gone: bool, last_words: Callable[[], str]) -> None:
        engine = view.engines.get(self._engine)
        if not gone:
            self._gone = None
        elif self._gone is None:
            self._gone = self._clock()
        late = self._gone is not None and self._clock() - self._gone > GRACE_SECONDS
        if late and (engine is None or not engine.covered.ended):
            raise EngineError(f"engine {self._engine}: every worker has ended, and its results have not{last_words()}")
        state = (view.status, None if engine is None else engine.covered)
        if state != self._last:
            self._last, self._since = state, self._clock()
        paused = view.status is not None and view.status.state == "paused"
        if not paused and self._clock() - self._since > STALL_SECONDS:
            missing = "anything" if engine is None else ", ".join(engine.covered.missing) or "nothing"
            silent = f"nothing new for {STALL_SECONDS:.0f} s; not ended: {missing}"
            raise DeadlineError(f"engine {self._engine}: {silent}{last_words()}")
