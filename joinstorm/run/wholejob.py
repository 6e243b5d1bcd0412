"""The whole job: record a tape, replay it through Kafka into an engine, and compare the counts with the truth."""

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import msgspec
from rich.console import Console
from rich.text import Text

from joinstorm.embedded.broker import EmbeddedBroker
from joinstorm.embedded.settings import STEADY
from joinstorm.engines.catalog import check
from joinstorm.interrupts import InterruptedRun
from joinstorm.oracle.keptfiles import any_kept
from joinstorm.prometheus.remotewrite import receiver
from joinstorm.run.extraengines import names_of
from joinstorm.run.pipeline import MovedError, Pipeline, PipelineRequest
from joinstorm.run.serving import serving, writing
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
from streams.errors import EngineError, JoinstormError, NoFactsError
from streams.kafka.connection import Connection
from streams.read.reader import ResultReader
from streams.read.runview import RunView
from streams.visible import visible_line

if TYPE_CHECKING:
    from joinstorm.facts.facttable import FactRow


@dataclass(frozen=True)
class RunRequest:
    """What a user asks of ``joinstorm run``.

    Args:
        scenario: Name or path of the scenario.
        scale: 1 is the real size.
        seed: None for the scenario's own.
        tape: A tape to use instead of recording one.
        connection: A broker to use instead of the embedded one.
        pipeline: How to replay; its tape, connection and faults file are filled in by ``run_job``.
        metrics_port: Port of the run's metrics, 0 for any free one, None for none.
        remote_write: Address of a Prometheus that gets the run's event-time series; empty for none.
    """

    scenario: str
    scale: float
    seed: int | None
    tape: Path | None
    connection: Connection | None
    pipeline: PipelineRequest
    metrics_port: int | None = 0
    remote_write: str = ""


@dataclass
class RunOutcome:
    """The verdict of a run and what the report needs."""

    verdict: Verdict
    view: RunView = field(repr=False)
    tape: Tape
    extra_engines: tuple[Verdict, ...] = ()
    """The verdicts of the extra engines."""
    metrics: str = ""
    """Where the run's metrics were served."""

    @cached_property
    def facts(self) -> "list[FactRow]":
        """The known facts with the tape's own figures, measured when first asked for; empty where nothing is known."""
        from joinstorm.facts.facttable import facts_of  # noqa: PLC0415 - with it come a database and its start

        try:
            return facts_of(self.tape)
        except NoFactsError:  # an imported tape, or a scenario of which nothing is known
            return []


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


def check_request(request: RunRequest) -> None:
    """Check what can be checked before anything is started.

    Raises:
        JoinstormError: Scenario, tape or an engine cannot be used; the text names it.
    """
    if request.tape is None:
        scenario.load(request.scenario)
    else:
        Tape.open(request.tape)
    for engine in (request.pipeline.engine, *request.pipeline.extra_engines):
        check(engine, request.pipeline.options.get(engine))
    if request.remote_write:
        receiver(request.remote_write)
    names_of(request.pipeline.engine, request.pipeline.extra_engines)


def run_job(request: RunRequest, folder: Path, screen: TextIO | None = None) -> RunOutcome:
    """Do the whole job; however it ends, everything it started has ended.

    Args:
        request: What to run; ``check_request`` accepted it.
        folder: Where tape, logs and the account of faults go.
        screen: Where progress is shown; stderr if not given.

    Raises:
        InterruptedRun: A signal or the key q ended it; the screen shows where the folder is.
        JoinstormError: A part failed; the text names it and what to do about it.
    """
    screen = screen or sys.stderr
    try:
        return _run_stages(request, folder, screen)
    except InterruptedRun:
        screen.write(f"stopped without a verdict; tape and logs: {visible_line(str(folder))}\n")
        raise


def _run_stages(request: RunRequest, folder: Path, screen: TextIO) -> RunOutcome:
    times = StageTimes()
    with contextlib.ExitStack() as stack:
        stack.enter_context(times.stage("total"))
        supervisor = stack.enter_context(Supervisor(folder / "logs"))
        supervisor.warm_up()
        recording = _start_recording(request, folder, supervisor)
        _count_ahead(request, supervisor)
        with times.stage("broker"), _status(screen, "starting Kafka and recording the night"):
            connection = request.connection or _embedded(stack, supervisor).connection
        with times.stage("record"), _status(screen, "recording the night"):
            tape = _finish_recording(request, folder, recording)
        filled = replace(request.pipeline, tape=tape, connection=connection, faults_file=folder / "faults.parquet")
        pipeline = Pipeline(filled, supervisor)
        view, metrics = _replay(pipeline, request, times, screen)
        with times.stage("verify"):
            verdict = _judge(view, pipeline.request, pipeline.request.name)
            extra = tuple(_judge(view, pipeline.request, one.name, one.trouble) for one in pipeline.extra_engines)
    rates = _rates(times, pipeline, verdict)
    verdict = msgspec.structs.replace(verdict, seconds=times.seconds, events_per_second=rates)
    return RunOutcome(verdict, view, Tape.open(tape), extra, metrics)


def _embedded(stack: contextlib.ExitStack, supervisor: Supervisor) -> EmbeddedBroker:
    """Start a broker that ends with the stack; where it ends before that, its last words are the error."""
    broker = stack.enter_context(EmbeddedBroker(settings=STEADY))
    supervisor.checks.append(broker.check)
    stack.enter_context(_explained(broker))
    return broker


@contextlib.contextmanager
def _explained(broker: EmbeddedBroker) -> Iterator[None]:
    try:
        yield
    except JoinstormError:
        broker.check()
        raise


def _start_recording(request: RunRequest, folder: Path, supervisor: Supervisor) -> ChildProcess | None:
    if request.tape is not None:
        return None
    options = ["--scale", f"{request.scale:g}", "--out", str(folder / "tape.parquet"), "--format", "json"]
    if request.seed is not None:
        options += ["--seed", str(request.seed)]
    return supervisor.start("record", joinstorm("record", request.scenario, *options))


def _count_ahead(request: RunRequest, supervisor: Supervisor) -> None:
    """Let the oracle count a given tape while Kafka starts, where no answers are kept; else the truth counts it."""
    if request.tape is not None and not any_kept(Tape.open(request.tape).info.sha256):
        supervisor.start("count-ahead", joinstorm("truth", str(request.tape), "--ahead"), vital=False)


def _finish_recording(request: RunRequest, folder: Path, recording: ChildProcess | None) -> Path:
    if recording is None:
        assert request.tape is not None
        return request.tape
    if recording.process.wait():
        raise EngineError(f"recording failed:\n{recording.tail()}")
    return folder / "tape.parquet"


def _replay(pipeline: Pipeline, request: RunRequest, times: StageTimes, screen: TextIO) -> tuple[RunView, str]:
    """Run all parts until engine and truth have published everything."""
    with times.stage("replay and count"):
        pipeline.open()
        for index in range(pipeline.request.workers):
            pipeline.start_worker(index)
        pipeline.start_extra_engines()
        pipeline.start_replay()
        pipeline.start_truth()
        tape, frames = Tape.open(pipeline.request.tape).info, FrameSource(pipeline.request.name)
        with (
            _farewell(screen),
            keyboard(sys.stdin, screen) as pressed,
            contextlib.closing(open_display(screen, f"joinstorm {tape.name} {tape.scale:g}")) as display,
        ):
            while True:
                try:
                    return _followed(pipeline, request, display, pressed, frames)
                except MovedError as moved:
                    frames = FrameSource(pipeline.request.name, "moving")
                    display.update(frames.frame(RunView()))
                    pipeline.move(moved.run)


@contextlib.contextmanager
def _farewell(screen: TextIO) -> Iterator[None]:
    """Say at once that an interrupt was heard: ending every part takes seconds."""
    try:
        yield
    except InterruptedRun:
        screen.write("stopping every part of the run\n")
        screen.flush()
        raise


def _followed(
    pipeline: Pipeline, request: RunRequest, display: Display, pressed: Keyboard | None, frames: FrameSource
) -> tuple[RunView, str]:
    """Follow one run to its end; return it, and where its metrics were served."""
    asked, phases = pipeline.request, Tape.open(pipeline.request.tape).info.phases
    with (
        ResultReader(asked.connection, prefix=asked.prefix, run=asked.run) as reader,
        serving(reader, request.metrics_port, pipeline.workers.values) as url,
        writing(reader, request.remote_write, display.show_message),
    ):
        display.show_footer("\n".join([HINT] * (pressed is not None) + [f"metrics: {url}"] * bool(url)))
        return _show(pipeline, reader, display, DeckKeys(pressed, display.show_message), phases, frames), url


def _show(
    pipeline: Pipeline,
    reader: ResultReader,
    display: Display,
    keys: DeckKeys,
    phases: Sequence[Phase],
    frames: FrameSource,
) -> RunView:
    view = reader.snapshot()
    for view in pipeline.views(reader, display.every):
        display.update(frames.frame(view))
        if STOP in keys.send_pressed(pipeline.deck, lambda: pipeline.deck().state(), phases):
            raise InterruptedRun
    return view


def _judge(view: RunView, request: PipelineRequest, engine: str, trouble: str = "") -> Verdict:
    truth, events = published_truth(view)
    assert view.info is not None
    evidence = gathered(request.connection, view.info, engine, Tape.open(request.tape))
    found = judge(view, engine, truth, events, versions=versions(), evidence=evidence)
    return found.with_problem(f"{engine}: {trouble}") if trouble else found


def _rates(times: StageTimes, pipeline: Pipeline, verdict: Verdict) -> dict[str, float]:
    replayed = pipeline.replay_summary()
    rates = {"replay": float(replayed["events_per_second"])} if "events_per_second" in replayed else {}
    counted = times.seconds.get("replay and count", 0.0)
    return {**rates, "replay and count": round(verdict.events / counted, 1) if counted else 0.0}


@contextlib.contextmanager
def _status(screen: TextIO, what: str) -> Iterator[None]:
    """Show on a terminal what the run is waiting for."""
    if not screen.isatty():
        yield
        return
    with Console(file=screen).status(Text(visible_line(what))):
        yield
