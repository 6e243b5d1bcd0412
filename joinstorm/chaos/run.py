"""One run with faults: does it go on, how long does each fault cost, and is the answer the same?"""

import contextlib
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from joinstorm.accounts import Evidence
from joinstorm.broker import EmbeddedBroker
from joinstorm.chaos.schedule import Fault, FaultKind
from joinstorm.pipeline import Pipeline, Plan
from joinstorm.supervisor import Part, Supervisor
from joinstorm.verdict import Verdict, judge
from joinstorm.verification import gathered, published_truth
from producers.tape import Tape
from streams.reader import ResultReader
from streams.runinfo import RunInfo
from streams.runview import RunView

SLOW_CYCLE_SECONDS = 0.25
SLOW_STOPPED = 0.8
MOST_WORKERS = 3


@dataclass
class Blow:
    """A fault that was dealt.

    Args:
        fault: Which.
        counted: Events the engine had counted.
        begun: When, monotonic seconds.
        recovered: Seconds until the engine had counted something new, None if it never did or had counted everything.
    """

    fault: Fault
    counted: int
    begun: float
    recovered: float | None = None


@dataclass
class ChaosResult:
    """What came of one schedule."""

    verdict: Verdict
    blows: list[Blow] = field(default_factory=list)

    def recoveries(self) -> list[float]:
        """Return the seconds of every recovery that was seen."""
        return [blow.recovered for blow in self.blows if blow.recovered is not None]


class ChaosRun:
    """Deals the faults of a schedule to one run.

    Args:
        plan: What to replay and how; the connection is the broker's.
        broker: The embedded broker, which may be taken away.
        folder: For logs and the producer's position.
    """

    def __init__(self, plan: Plan, broker: EmbeddedBroker, folder: Path) -> None:
        self.plan = plan
        self.broker = broker
        self.folder = folder
        self.blows: list[Blow] = []
        self._due: list[tuple[float, Callable[[], None]]] = []
        """What follows from faults that last: when, and what to do."""

    def run(self, faults: Sequence[Fault]) -> ChaosResult:
        """Run to the end, dealing each fault when its share of the events is counted."""
        with contextlib.ExitStack() as stack:
            self.supervisor = stack.enter_context(Supervisor(self.folder / "logs"))
            self.pipeline = Pipeline(self.plan, self.supervisor)
            info = self.pipeline.open()
            for index in range(self.plan.workers):
                self.pipeline.start_worker(index)
            self._start_exporter()
            self.pipeline.start_truth().process.wait()  # the truth is no subject of the faults
            self.pipeline.start_replay("--position", str(self._position))
            reader = stack.enter_context(ResultReader(self.plan.connection, prefix=self.plan.prefix, run=self.plan.run))
            left = list(faults)
            for view in self.pipeline.views(reader):
                counted = self._counted(view)
                self._note_recoveries(counted)
                self._follow_up()
                while left and counted >= left[0].at * info.events:
                    self._deal(left.pop(0), counted)
            truth, events = published_truth(view)
            evidence = self._evidence(info)
            return ChaosResult(judge(view, self.plan.name, truth, events, evidence=evidence), self.blows)

    def _evidence(self, info: RunInfo) -> Evidence | None:
        if info.faults is not None and not self.broker.alive():
            self.broker.start()  # taken away so late that everything was read before
        return gathered(self.plan.connection, info, self.plan.name, Tape.open(self.plan.tape))

    @property
    def _position(self) -> Path:
        return self.folder / "position.json"

    def _counted(self, view: RunView) -> int:
        engine = view.engines.get(self.plan.name)
        return sum(engine.covered.events.values()) if engine else 0

    def _note_recoveries(self, counted: int) -> None:
        now = time.monotonic()
        for blow in self.blows:
            if blow.recovered is None and counted > blow.counted:
                blow.recovered = now - blow.begun

    def _follow_up(self) -> None:
        now = time.monotonic()
        ready = [action for when, action in self._due if when <= now]
        self._due = [(when, action) for when, action in self._due if when > now]
        for action in ready:
            action()

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        self._due.append((time.monotonic() + seconds, action))

    def _deal(self, fault: Fault, counted: int) -> None:
        self.blows.append(Blow(fault, counted, time.monotonic()))
        {
            FaultKind.KILL_WORKER: self._kill_worker,
            FaultKind.FREEZE_WORKER: self._freeze_worker,
            FaultKind.SLOW_WORKER: self._slow_worker,
            FaultKind.ADD_WORKER: self._add_worker,
            FaultKind.REMOVE_WORKER: self._remove_worker,
            FaultKind.KILL_PRODUCER: self._kill_producer,
            FaultKind.KILL_EXPORTER: self._kill_exporter,
            FaultKind.STOP_BROKER: self._stop_broker,
            FaultKind.KILL_BROKER: self._kill_broker,
        }[fault.kind](fault)

    def _newest(self) -> tuple[int, Part]:
        index = max(self.pipeline.workers)
        return index, self.pipeline.workers[index]

    def _kill_worker(self, fault: Fault) -> None:  # noqa: ARG002 - every fault is dealt in one way
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

    def _add_worker(self, fault: Fault) -> None:  # noqa: ARG002 - every fault is dealt in one way
        if len(self.pipeline.workers) < MOST_WORKERS:
            self.pipeline.start_worker(max(self.pipeline.workers) + 1)

    def _remove_worker(self, fault: Fault) -> None:  # noqa: ARG002 - every fault is dealt in one way
        if len(self.pipeline.workers) > 1:
            index, part = self._newest()
            del self.pipeline.workers[index]
            part.signal(signal.SIGCONT)
            self.supervisor.end(part, signal.SIGTERM)

    def _kill_producer(self, fault: Fault) -> None:  # noqa: ARG002 - every fault is dealt in one way
        replay = self.pipeline.replay
        if replay is None or replay.exit_code() is not None:
            return
        self.supervisor.end(replay, signal.SIGKILL)
        resume = ["--resume", str(self._position)] if self._position.exists() else []
        self.pipeline.start_replay("--position", str(self._position), *resume)

    def _start_exporter(self) -> None:
        self._exporter = self.pipeline.start("exporter", "export", "--run", self.plan.run, "--port", "0")

    def _kill_exporter(self, fault: Fault) -> None:  # noqa: ARG002 - every fault is dealt in one way
        self.supervisor.end(self._exporter, signal.SIGKILL)
        self._start_exporter()

    def _stop_broker(self, fault: Fault) -> None:
        self.broker.stop()
        self._later(fault.seconds, self.broker.start)

    def _kill_broker(self, fault: Fault) -> None:
        self.broker.kill()
        self._later(fault.seconds, self.broker.start)
