"""One replay with all its parts, each a process of its own: truth, workers and producer around a broker."""

import contextlib
import json
import math
import os
import signal
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from joinstorm.engines.engineoptions import EngineOptions, arguments
from joinstorm.run.extraengines import ExtraEngine, any_working, names_of
from joinstorm.run.stalling import Stall
from joinstorm.run.supervisor import ChildProcess, Supervisor, joinstorm
from producers.moments import moment_ms
from producers.replay.control import ControlClient
from producers.replay.opening import open_run
from producers.replay.schedule import default_watermark_step
from producers.tape.tapefile import Tape
from streams.contract.names import TRUTH
from streams.contract.runinfo import Faults, RunInfo
from streams.contract.topics import DEFAULT_PARTITIONS, Topics
from streams.engines.registry import name_of
from streams.errors import EngineError, EnvironmentMissingError
from streams.kafka.ailments import ailments
from streams.kafka.connection import Connection
from streams.read.reader import ResultReader
from streams.read.runview import RunView
from streams.system.threads import poll_until

POLL_SECONDS = 0.25
VIEW_SHARE = 0.1
"""Most of the time that views may take."""
LOOK_SECONDS = 0.05
"""Between two looks for the end."""


def run_id() -> str:
    """Return a new run id that contains the time."""
    return f"run-{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:6]}"


@dataclass(frozen=True)
class PipelineRequest:
    """What to replay and how.

    Args:
        tape: The tape.
        connection: The broker.
        engine: The engine, as given to ``registry.load``.
        workers: Worker processes in one group.
        speed: Event seconds per second, 0 for no pacing.
        client: ``kafka-python`` or ``aiokafka``.
        prefix: Put before every topic name.
        partitions: Partitions of each input topic.
        replication: Copies of each topic.
        skip_quiet: Send quiet phases at full speed.
        begin: A moment before which everything is sent at full speed.
        until: A moment after which everything is sent at full speed.
        paces: Moments, each with the speed from there on.
        replay_options: Further options of ``joinstorm replay``.
        faults: Declared faults of the stream.
        faults_file: Where every injected fault is written; next to the tape if not given.
        extra_engines: Further engines on the same topics, one worker each; if they fail, the run goes on.
        options: Options of the engines, by engine as given.
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
    paces: tuple[tuple[str, float], ...] = ()
    replay_options: tuple[str, ...] = ()
    faults: Faults | None = None
    faults_file: Path | None = None
    extra_engines: tuple[str, ...] = ()
    options: EngineOptions = field(default_factory=dict)
    run: str = field(default_factory=run_id)

    @cached_property
    def name(self) -> str:
        """The name of the engine's results."""
        return name_of(self.engine)

    @property
    def slowest(self) -> float:
        """The least speed of the replay."""
        return min(self.speed, *(speed for _, speed in self.paces), math.inf)

    def which(self, engine: str) -> list[str]:
        """Return the arguments of ``joinstorm stream`` that select an engine, with its options."""
        return ["--engine", engine, *arguments(self.options.get(engine, {}))]


class MovedError(Exception):
    """The deck jumped back: the replay goes on in another run.

    Args:
        run: Its id.
    """

    def __init__(self, run: str) -> None:
        super().__init__(run)
        self.run = run


class Pipeline:
    """The parts of one replay; the supervisor ends them.

    Args:
        request: What to replay and how.
        supervisor: Starts the parts and keeps their logs.
    """

    def __init__(self, request: PipelineRequest, supervisor: Supervisor) -> None:
        self.request = request
        self.supervisor = supervisor
        self.workers: dict[int, ChildProcess] = {}
        self.extra_engines: list[ExtraEngine] = []
        self.replay: ChildProcess | None = None
        self.truth: ChildProcess | None = None
        self.info: RunInfo | None = None

    def open(self) -> RunInfo:
        """Create the topics and publish run.info.

        Raises:
            UsageError: ``begin`` or ``until`` is not a moment of the night.
        """
        request = self.request
        tape = Tape.open(request.tape).info
        for moment in filter(None, (request.begin, request.until, *(moment for moment, _ in request.paces))):
            moment_ms(moment, tape.phases, tape.start, tape.end, tape.start)
        self.info = open_run(
            request.connection,
            tape,
            run=request.run,
            prefix=request.prefix,
            partitions=request.partitions,
            replication=request.replication,
            watermark_step_ms=default_watermark_step(request.slowest, tape.end - tape.start),
            faults=request.faults,
        )
        return self.info

    def start_truth(self) -> ChildProcess:
        """Start the oracle; it publishes the truth and ends."""
        self.truth = self.start("truth", "truth", str(self.request.tape), *self._where())
        return self.truth

    def start_worker(self, index: int) -> ChildProcess:
        """Start, or start again, the worker with the number ``index``."""
        which = [*self.request.which(self.request.engine), "--worker", str(index), "--metrics-port", "0"]
        part = self.start(f"worker-{index}", "stream", *which, *self._where())
        self.workers[index] = part
        return part

    def start_extra_engines(self) -> None:
        """Start one worker of each extra engine."""
        for name, engine in names_of(self.request.engine, self.request.extra_engines).items():
            state = ["--option", f"state_dir={self.supervisor.logs / 'state'}"]
            which = [*state, *self.request.which(engine), "--worker", "0"]
            part = self.start(f"extra-{name}", "stream", *which, *self._where(), vital=False)
            self.extra_engines.append(ExtraEngine(name, part))

    def start_replay(self, *further: str) -> ChildProcess:
        """Start the producer."""
        request = self.request
        options = [
            "--speed",
            f"{request.speed:g}" if request.speed else "max",
            "--client",
            request.client,
            "--format",
            "json",
        ]
        options += ["--replication", f"{request.replication}"]  # of the run that a jump back begins
        options.append("--no-verify")  # the truth verifies it meanwhile; a damaged tape ends the run
        if request.skip_quiet:
            options.append("--skip-quiet")
        for option, moment in (("--from", request.begin), ("--until", request.until)):
            options += [option, moment] if moment else []
        for moment, speed in request.paces:
            options += ["--pace", f"{moment}={speed:g}"]
        if request.faults_file is not None:
            options += ["--faults-file", str(request.faults_file)]
        arguments = [str(request.tape), *options, *self._where(), *request.replay_options, *further]
        self.replay = self.start("replay", "replay", *arguments)
        return self.replay

    def start(self, name: str, command: str, *arguments: str, vital: bool = True) -> ChildProcess:
        """Start a joinstorm command as a part; its login is in its environment, which other users cannot read."""
        environ = self.request.connection.environ(os.environ)
        return self.supervisor.start(name, joinstorm(command, *arguments), environ, vital=vital)

    def move(self, run: str) -> None:
        """Go on with another run of the replay: engines and truth begin again."""
        extra = [engine.part for engine in self.extra_engines]
        for part in [*self.workers.values(), *extra, *([self.truth] if self.truth else [])]:
            self.supervisor.end(part, signal.SIGTERM)
        self.request = replace(self.request, run=run)
        for index in list(self.workers):
            self.start_worker(index)
        self.extra_engines.clear()
        self.start_extra_engines()
        self.start_truth()

    def deck(self) -> ControlClient:
        """Return the deck of the producer; raises EnvironmentMissingError while it does not listen."""
        return ControlClient.find(pid=self.replay.pid if self.replay else None)

    def _where(self) -> list[str]:
        request = self.request
        # Given even where they are the defaults: the environment may hold variables of the parts' own options.
        where = ["--bootstrap-servers", request.connection.bootstrap_servers, "--run", request.run]
        return [*where, "--topic-prefix", request.prefix]

    def views(self, reader: ResultReader, every: float = POLL_SECONDS) -> Iterator[RunView]:
        """Yield what is known, every so many seconds, until engines and truth are drained and the producer has ended.

        A view sums all results, so that few are cheaper: they take ``VIEW_SHARE`` of the time at most. The end is
        noticed at once. Views go on while the producer ends: a caller may have to start something again. Extra engines
        are waited for as long as they make progress; what stopped one is its ``trouble``.

        Raises:
            MovedError: The deck jumped back, and the replay goes on in another run.
            EngineError: A part failed, or ended before its work was done; the text holds its last log lines.
            DeadlineError: The engine has counted nothing new for ``stalling.STALL_SECONDS``.
        """
        stall = Stall(self.request.name, reader.read_since, excused=self.supervisor.compiling)
        while True:
            began = time.monotonic()
            view = reader.snapshot()
            yield view
            took = time.monotonic() - began
            self._check_parts()
            self._check_run(view)
            if all(name in view.engines and view.engines[name].drained for name in (self.request.name, TRUTH)):
                break
            stall.check(view, self._workers_gone(), self._log_end, self._ailments)
            poll_until(lambda: self._all_drained(reader) or None, max(every, took / VIEW_SHARE), LOOK_SECONDS)
        while self.replay is not None and self.replay.exit_code() is None:
            poll_until(self.replay.exit_code, every)
            yield reader.snapshot()
            self._check_parts()
        self._check_parts()
        while any_working(self.extra_engines, view := reader.snapshot(), reader.read_since):
            yield view
            time.sleep(every)
        yield reader.snapshot()

    def _check_parts(self) -> None:
        """Raise EngineError where a part failed; its last line is what is wrong with the cluster, if anything is."""
        try:
            self.supervisor.check()
        except EngineError as error:
            if found := self._ailments():
                raise EngineError(f"{error}\n{'; '.join(found)}") from None
            raise

    def _all_drained(self, reader: ResultReader) -> bool:
        return all(reader.drained(name) for name in (self.request.name, TRUTH))

    def _check_run(self, view: RunView) -> None:
        """Raise MovedError where the run was left for another one."""
        if view.status is not None and view.status.state == "moving":
            with contextlib.suppress(EnvironmentMissingError):
                run = self.deck().state()["run"]
                if run != self.request.run:
                    raise MovedError(run)

    def _workers_gone(self) -> bool:
        return bool(self.workers) and all(part.exit_code() is not None for part in self.workers.values())

    def _ailments(self) -> list[str]:
        """Return what is wrong with the cluster, if anything is."""
        names = Topics(self.request.run, self.request.prefix)
        return ailments(self.request.connection, [spec.name for spec in names.specs(self.request.partitions)])

    def _log_end(self) -> str:
        """Return the end of the first worker's log, as the end of a sentence."""
        part = next(iter(self.workers.values()), None)
        return f"; the end of {part.log}:\n{part.tail()}" if part else ""

    def replay_summary(self) -> dict[str, Any]:
        """Return the summary that the producer printed when it ended; empty where there is none."""
        if self.replay is None:
            return {}
        lines = [line for line in self.replay.log.read_text().splitlines() if line.startswith("{")]
        summary: dict[str, Any] = json.loads(lines[-1]) if lines else {}
        return summary
