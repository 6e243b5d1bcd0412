"""One run with faults: whether it goes on, how long each recovery takes, and whether the answer stays the same."""

import contextlib
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from joinstorm.chaos.brokerfaults import BrokerFaults
from joinstorm.chaos.faultschedule import Fault, FaultKind
from joinstorm.chaos.outcome import ChaosResult, FaultOutcome, loss_of
from joinstorm.chaos.proxy import Proxy
from joinstorm.embedded.cluster import EmbeddedCluster
from joinstorm.run.pipeline import Pipeline, PipelineRequest
from joinstorm.run.supervisor import ChildProcess, Supervisor
from joinstorm.verdict.accounts import Evidence
from joinstorm.verdict.verdicts import final_tables, judge
from joinstorm.verdict.verification import gathered, published_truth
from producers.replay.position import has_ended
from producers.tape.tapefile import Tape
from streams.contract.names import TRUTH
from streams.contract.runinfo import RunInfo
from streams.contract.topics import INPUTS, Topics
from streams.errors import EXIT_ENVIRONMENT, DeadlineError, EngineError
from streams.read.derive import FinalCounts
from streams.read.reader import ResultReader
from streams.read.runview import RunView
from streams.system.directhttp import open_directly

SLOW_CYCLE_SECONDS = 0.25
SLOW_STOPPED = 0.8
MOST_WORKERS = 3
EXPORTER_SECONDS = 90.0
"""How long the exporter may take to serve the run at the end; it may have to notice a half-open connection first."""


class ChaosRun:
    """Injects the faults of a schedule into one run.

    Args:
        plan: What to replay and how; the connection is the cluster's.
        cluster: The brokers, which faults may stop or kill.
        proxy: The network between them and their clients, which faults may cut; None if it cannot fail.
        folder: For logs and the producer's position.
    """

    def __init__(self, plan: PipelineRequest, cluster: EmbeddedCluster, proxy: Proxy | None, folder: Path) -> None:
        self.plan = plan
        self.cluster = cluster
        self.folder = folder
        self.outcomes: list[FaultOutcome] = []
        self._due: list[tuple[float, Callable[[], None]]] = []
        """Follow-ups of faults that last: when, and what to do."""
        self._view = RunView()
        self.supervisor = Supervisor(folder / "logs")
        self.pipeline = Pipeline(plan, self.supervisor)
        self._exporter: ChildProcess | None = None
        names = Topics(plan.run, plan.prefix)
        self.brokers = BrokerFaults(cluster, proxy, [names.full(base) for base in INPUTS], self._later)

    def run(self, faults: Sequence[Fault]) -> ChaosResult:
        """Run to the end, injecting each fault when its share of the events is counted.

        Raises:
            JoinstormError: The run cannot begin.
        """
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.supervisor)
            info = self.pipeline.open()
            for index in range(self.plan.workers):
                self.pipeline.start_worker(index)
            self._start_exporter()
            self.pipeline.start_truth().process.wait()  # no fault hits the truth
            self.pipeline.start_replay("--position", str(self._position))
            reader = stack.enter_context(ResultReader(self.plan.connection, prefix=self.plan.prefix, run=self.plan.run))
            problem = ""
            try:
                self._follow(reader, info.events, list(faults))
            except (DeadlineError, EngineError) as error:
                problem = str(error)
            return self._judged(info, problem)

    def _follow(self, reader: ResultReader, events: int, left: list[Fault]) -> None:
        """Follow the run to its end and inject the faults, none while the broker is away: no process could start."""
        for view in self.pipeline.views(reader):
            self._view = view
            counted = self._counted(view)
            self._note_recoveries(counted)
            self._tend()
            while left and self._reachable() and counted >= left[0].at * events:
                self._inject(left.pop(0), counted, max(0, events - counted))
        self._await_exporter()

    def _judged(self, info: RunInfo, problem: str) -> ChaosResult:
        """Compare the counts with the truth, whether the run ended or not.

        Raises:
            EngineError: There is no truth; the text has the problem.
        """
        self.brokers.mend()  # a fault may have begun after everything had been read
        if TRUTH not in self._view.engines:
            raise EngineError(problem or "the truth was not published")
        truth, events = published_truth(self._view)
        engine = self._view.engines.get(self.plan.name)
        tables = final_tables(engine) if engine else FinalCounts({}, {}, {})
        evidence = None if problem else self._evidence(info)
        verdict = judge(self._view, self.plan.name, truth, events, evidence=evidence)
        return ChaosResult(verdict, loss_of(tables, truth), self.outcomes, problem)

    def _evidence(self, info: RunInfo) -> Evidence | None:
        return gathered(self.plan.connection, info, self.plan.name, Tape.open(self.plan.tape))

    def _tend(self) -> None:
        """End the faults whose time is up, and restart what they ended."""
        self._follow_up()
        self._restart()

    def _restart(self) -> None:
        """Restart what ended because it found no broker, as a process manager would."""
        for index, part in list(self.pipeline.workers.items()):
            if part.exit_code() == EXIT_ENVIRONMENT:
                self.supervisor.end(part, signal.SIGKILL)
                self.pipeline.start_worker(index)
        if self._exporter is not None and self._exporter.exit_code() == EXIT_ENVIRONMENT:
            self._kill_exporter()
        if self.pipeline.replay is not None and self.pipeline.replay.exit_code() == EXIT_ENVIRONMENT:
            self._restart_replay(self.pipeline.replay)

    def _reachable(self) -> bool:
        """Whether a process that starts now finds most of the brokers up."""
        brokers = self.cluster.brokers
        up = sum(one.alive() for index, one in enumerate(brokers) if index not in self.brokers.starting)
        return up > len(brokers) / 2

    def _await_exporter(self) -> None:
        """Wait until the exporter, killed or not, serves this run; the last faults may not have ended before.

        Raises:
            DeadlineError: It does not in time.
        """
        deadline = time.monotonic() + EXPORTER_SECONDS
        wanted = f'run="{self.plan.run}"'
        while time.monotonic() < deadline:
            self._tend()
            lines = self._exporter.log.read_text().split() if self._exporter else []
            urls = [line for line in lines if line.startswith("http://")]
            with contextlib.suppress(OSError):
                if urls and wanted in open_directly(urls[-1], 5).read().decode():
                    return
            time.sleep(0.1)
        raise DeadlineError(f"the exporter does not serve run {self.plan.run}: not within {EXPORTER_SECONDS:g} s")

    @property
    def _position(self) -> Path:
        return self.folder / "position.json"

    def _counted(self, view: RunView) -> int:
        engine = view.engines.get(self.plan.name)
        return sum(engine.covered.events.values()) if engine else 0

    def _note_recoveries(self, counted: int) -> None:
        now = time.monotonic()
        for outcome in self.outcomes:
            if outcome.recovered is None and counted > outcome.counted:
                outcome.recovered = now - outcome.begun

    def _follow_up(self) -> None:
        now = time.monotonic()
        ready = [action for when, action in self._due if when <= now]
        self._due = [(when, action) for when, action in self._due if when > now]
        for action in ready:
            action()

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        self._due.append((time.monotonic() + seconds, action))

    def _inject(self, fault: Fault, counted: int, left: int) -> None:
        self.outcomes.append(FaultOutcome(fault, counted, time.monotonic(), left))
        {
            FaultKind.KILL_WORKER: self._kill_worker,
            FaultKind.FREEZE_WORKER: self._freeze_worker,
            FaultKind.SLOW_WORKER: self._slow_worker,
            FaultKind.ADD_WORKER: self._add_worker,
            FaultKind.REMOVE_WORKER: self._remove_worker,
            FaultKind.KILL_PRODUCER: self._kill_producer,
            FaultKind.KILL_EXPORTER: self._kill_exporter,
            **self.brokers.kinds,
        }[fault.kind](fault)

    def _newest(self) -> tuple[int, ChildProcess]:
        index = max(self.pipeline.workers)
        return index, self.pipeline.workers[index]

    def _kill_worker(self, fault: Fault) -> None:  # noqa: ARG002 - all faults have one signature
        index, part = self._newest()
        self.supervisor.end(part, signal.SIGKILL)
        self.pipeline.start_worker(index)

    def _freeze_worker(self, fault: Fault) -> None:
        _, part = self._newest()
        part.signal(signal.SIGSTOP)
        self._later(fault.seconds, lambda: part.signal(signal.SIGCONT))

    def _slow_worker(self, fault: Fault) -> None:
        _, part = self._newest()
        until = time.monotonic() + fault.seconds

        def stop() -> None:
            if time.monotonic() < until:
                part.signal(signal.SIGSTOP)
                self._later(SLOW_CYCLE_SECONDS * SLOW_STOPPED, go)

        def go() -> None:
            part.signal(signal.SIGCONT)
            self._later(SLOW_CYCLE_SECONDS * (1 - SLOW_STOPPED), stop)

        stop()

    def _add_worker(self, fault: Fault) -> None:  # noqa: ARG002 - all faults have one signature
        if len(self.pipeline.workers) < MOST_WORKERS:
            self.pipeline.start_worker(max(self.pipeline.workers) + 1)

    def _remove_worker(self, fault: Fault) -> None:  # noqa: ARG002 - all faults have one signature
        if len(self.pipeline.workers) > 1:
            index, part = self._newest()
            del self.pipeline.workers[index]
            part.signal(signal.SIGCONT)
            self.supervisor.end(part, signal.SIGTERM)

    def _kill_producer(self, fault: Fault) -> None:  # noqa: ARG002 - all faults have one signature
        replay = self.pipeline.replay
        if replay is None or replay.exit_code() is not None:
            return
        self._restart_replay(replay)

    def _restart_replay(self, replay: ChildProcess) -> None:
        self.supervisor.end(replay, signal.SIGKILL)
        if has_ended(self._position):
            return  # it had finished and was killed while exiting
        resume = ["--resume", str(self._position)] if self._position.exists() else []
        self.pipeline.start_replay("--position", str(self._position), *resume)

    def _start_exporter(self) -> None:
        where = ["--run", self.plan.run, "--topic-prefix", self.plan.prefix, "--port", "0"]
        self._exporter = self.pipeline.start("exporter", "export", *where)

    def _kill_exporter(self, fault: Fault | None = None) -> None:  # noqa: ARG002 - all faults have one signature
        if self._exporter is not None:
            self.supervisor.end(self._exporter, signal.SIGKILL)
        self._start_exporter()
