"""The whole job: record a tape, replay it through Kafka into an engine, and hold the engine's answers to the truth."""

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

import msgspec
from rich.console import Console

from joinstorm.embedded.broker import EmbeddedBroker
from joinstorm.engines.catalog import check
from joinstorm.facts.facttable import FactRow, facts_of
from joinstorm.interrupts import InterruptedRun
from joinstorm.run.extraengines import names_of
from joinstorm.run.pipeline import MovedError, Pipeline, PipelineRequest
from joinstorm.run.supervisor import ChildProcess, Supervisor, joinstorm
from joinstorm.run.versions import versions
from joinstorm.terminal.deckkeys import HINT, STOP
from joinstorm.terminal.display import Display, open_display
from joinstorm.terminal.frames import FrameSource
from joinstorm.terminal.keyboard import DeckKeys, Keyboard, keyboard
from joinstorm.verdict.verdicts import Verdict, judge
from joinstorm.verdict.verification import gathered, published_truth
from producers.scenario import loading as scenario
from producers.tape.tapefile import Tape
from streams.contract.runinfo import Phase
from streams.errors import EngineError, ScenarioError
from streams.exporter.brokermonitor import BrokerMonitor
from streams.exporter.collector import Exporter
from streams.kafka.connection import Connection
from streams.read.reader import ResultReader
from streams.read.runview import RunView


@dataclass(frozen=True)
class RunRequest:
    """What a user asks of ``joinstorm run``.

    Args:
        scenario: Name or path of the scenario.
        out: Folder for tape, logs, verdict and report.
        scale: 1 is the real size.
        seed: None for the scenario's own.
        tape: A tape to use instead of recording one.
        connection: A broker to use instead of the embedded one.
        plan: How to replay; its tape and connection are filled in here.
        metrics_port: Port of the exporter, 0 for any free one, None for none.
    """

    scenario: str
    out: Path
    scale: float
    seed: int | None
    tape: Path | None
    connection: Connection | None
    plan: PipelineRequest
    metrics_port: int | None = 0


@dataclass
class RunOutcome:
    """What came of it."""

    verdict: Verdict
    view: RunView = field(repr=False)
    tape: Tape
    facts: list[FactRow]
    """What is known of the night beside the tape's own figures; empty where nothing is known."""
    beside: tuple[Verdict, ...] = ()
    """Of the engines that ran beside."""


class StageTimes:
    """Seconds per stage of the run."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - begin, 3)


def run_job(order: RunRequest, screen: TextIO | None = None) -> RunOutcome:
    """Do the whole job; whatever ends it, everything it started is gone.

    Args:
        order: What is asked.
        screen: Where progress is shown; stderr if not given.

    Raises:
        JoinstormError: Something cannot be done; the text says what and what to do about it.
    """
    screen = screen or sys.stderr
    if order.tape is None:
        scenario.load(order.scenario)  # what is wrong with it is said before anything is started
    for engine in (order.plan.engine, *order.plan.beside):
        check(engine)
    names_of(order.plan.engine, order.plan.beside)
    watch = StageTimes()
    with contextlib.ExitStack() as stack:
        stack.enter_context(watch.stage("total"))
        supervisor = stack.enter_context(Supervisor(order.out / "logs"))
        recording = _start_recording(order, supervisor)
        with watch.stage("broker"), _status(screen, "starting Kafka and recording the night"):
            connection = order.connection or stack.enter_context(EmbeddedBroker()).connection
        with watch.stage("record"), _status(screen, "recording the night"):
            tape = _finish_recording(order, recording)
        pipeline = Pipeline(replace(order.plan, tape=tape, connection=connection), supervisor)
        view = _replay(pipeline, order, watch, screen)
        with watch.stage("verify"):
            verdict = _judge(view, pipeline.plan, pipeline.plan.name)
            beside = tuple(_judge(view, pipeline.plan, guest.name, guest.trouble) for guest in pipeline.guests)
    rates = _rates(watch, pipeline, verdict)
    verdict = msgspec.structs.replace(verdict, seconds=watch.seconds, events_per_second=rates)
    return RunOutcome(verdict, view, Tape.open(tape), _facts(Tape.open(tape)), beside)


def _facts(tape: Tape) -> list[FactRow]:
    try:
        return facts_of(tape)
    except ScenarioError:  # an imported tape, or a scenario of which nothing is known
        return []


def _start_recording(order: RunRequest, supervisor: Supervisor) -> ChildProcess | None:
    if order.tape is not None:
        Tape.open(order.tape)
        return None
    options = ["--scale", f"{order.scale:g}", "--out", str(order.out / "tape.parquet"), "--format", "json"]
    if order.seed is not None:
        options += ["--seed", str(order.seed)]
    return supervisor.start("record", joinstorm("record", order.scenario, *options))


def _finish_recording(order: RunRequest, recording: ChildProcess | None) -> Path:
    if recording is None:
        assert order.tape is not None
        return order.tape
    if recording.process.wait():
        raise EngineError(f"recording failed:\n{recording.tail()}")
    return order.out / "tape.parquet"


def _replay(pipeline: Pipeline, order: RunRequest, watch: StageTimes, screen: TextIO) -> RunView:
    """Run all parts until engine and truth have said everything."""
    plan = pipeline.plan
    with watch.stage("replay and count"):
        pipeline.open()
        for index in range(plan.workers):
            pipeline.start_worker(index)
        pipeline.start_guests()
        pipeline.start_replay()
        pipeline.start_truth()
        with keyboard(sys.stdin, screen) as pressed:
            while True:
                try:
                    return _watched(pipeline, order, screen, pressed)
                except MovedError as moved:
                    pipeline.move(moved.run)


def _watched(pipeline: Pipeline, order: RunRequest, screen: TextIO, pressed: Keyboard | None) -> RunView:
    """Follow one run to its end."""
    plan, info = pipeline.plan, Tape.open(pipeline.plan.tape).info
    with (
        ResultReader(plan.connection, prefix=plan.prefix, run=plan.run) as reader,
        _exporter(reader, order.metrics_port) as url,
        contextlib.closing(_display(screen, f"{info.name} {info.scale:g}", url, keys=pressed is not None)) as display,
    ):
        return _show(pipeline, reader, display, DeckKeys(pressed, display.say), info.phases)


def _show(
    pipeline: Pipeline, reader: ResultReader, display: Display, keys: DeckKeys, phases: Sequence[Phase]
) -> RunView:
    moments = FrameSource(pipeline.plan.name)
    view = reader.snapshot()
    for view in pipeline.views(reader):
        display.update(moments.moment(view))
        given = keys.look(pipeline.deck, lambda: pipeline.deck().state(), phases)
        if STOP in given:
            raise InterruptedRun
    return view


@contextlib.contextmanager
def _exporter(reader: ResultReader, port: int | None) -> Iterator[str]:
    if port is None:
        yield ""
        return
    with (
        BrokerMonitor(reader.connection, reader.topics) as broker,
        Exporter(reader, broker.look).serving(port) as url,
    ):
        yield url


def _display(screen: TextIO, title: str, url: str, *, keys: bool) -> Display:
    footer = [HINT] * keys + [f"metrics: {url}"] * bool(url)
    return open_display(screen, f"joinstorm {title}", "\n".join(footer))


def _judge(view: RunView, plan: PipelineRequest, engine: str, trouble: str = "") -> Verdict:
    truth, events = published_truth(view)
    assert view.info is not None
    evidence = gathered(plan.connection, view.info, engine, Tape.open(plan.tape))
    found = judge(view, engine, truth, events, versions=versions(), evidence=evidence)
    return found.with_problem(f"{engine}: {trouble}") if trouble else found


def _rates(watch: StageTimes, pipeline: Pipeline, verdict: Verdict) -> dict[str, float]:
    replayed = pipeline.replay_summary()
    rates = {"replay": float(replayed["events_per_second"])} if "events_per_second" in replayed else {}
    counted = watch.seconds.get("replay and count", 0.0)
    return {**rates, "replay and count": round(verdict.events / counted, 1) if counted else 0.0}


@contextlib.contextmanager
def _status(screen: TextIO, what: str) -> Iterator[None]:
    """Say what is being waited for, on a terminal."""
    if not screen.isatty():
        yield
        return
    with Console(file=screen).status(what):
        yield
