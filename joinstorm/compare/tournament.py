"""The same tape through several engines, one at a time: correctness first, then cost."""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from joinstorm.compare.enginerun import EngineRun
from joinstorm.compare.fullspeed import recovery, throughput
from joinstorm.compare.paced import Paced, paced
from joinstorm.compare.scores import Score, Scoreboard
from joinstorm.compare.tapeparts import busiest, cut, speed_for, times
from joinstorm.engines.undertest import EngineUnderTest
from joinstorm.oracle import answers as oracle
from joinstorm.verdict.comparison import compare
from joinstorm.verdict.verdicts import final_tables, problems
from producers.replay.opening import open_run
from producers.replay.playback import Replay
from producers.replay.schedule import MOST_MARKS, least_watermark_step
from producers.senders.registry import sender_factory
from producers.tape.tapefile import Tape
from streams.contract.runinfo import RunInfo
from streams.errors import DeadlineError, JoinstormError
from streams.kafka.connection import Connection
from streams.read.reader import ResultReader

LATENCY_SECONDS: Final = 10.0
PROBE_SECONDS: Final = 5.0
"""How long events are sent, and how long an engine may then take to end."""
FACTORS: Final[Mapping[tuple[bool, ...], float]] = {
    (): 0.7,
    (True,): 1.0,
    (True, True): 1.3,
    (True, False): 0.85,
    (False,): 0.4,
    (False, True): 0.55,
    (False, False): 0.2,
    (False, False, False): 0.1,
}
"""The next rate to try, as a share of the measured throughput, by the outcomes of the probes so far."""
KEPT_UP_GROWTH: Final = 0.5
"""Seconds by which latency may grow during a probe while the engine still counts as keeping up."""
PRODUCER_LIMIT: Final = 0.9
"""Share of events on time below which the producer was the limit."""
TAPE_LIMIT: Final = 0.9
"""Share of the requested rate below which the tape was the limit: it has no busier part."""
STEP_WALL_MS: Final = 50
"""Wall time between two watermarks of a paced part: the resolution of latency."""


@dataclass(frozen=True)
class CompareRequest:
    """Which engines to compare, and how.

    Args:
        connection: A broker with no other load.
        engines: The engines.
        tape: The night.
        folder: For logs, state and tapes.
        workers: Workers of each engine.
        load: Events per second of the latency part.
        seconds: How long an engine may take for the whole tape.
        silence: Seconds without progress after which an engine counts as stuck.
        missing: Engines that cannot run here, and why; the scoreboard shows them as failed.
        parts: Which parts are measured besides throughput: ``recovery``, ``latency``, ``sustained``.
    """

    connection: Connection
    engines: Sequence[EngineUnderTest]
    tape: Path
    folder: Path
    workers: int = 1
    load: float = 2_000.0
    seconds: float = 300.0
    silence: float = 120.0
    missing: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[str, ...] = ("recovery", "latency", "sustained")


Notify = Callable[[str], None]
"""Called with a line about what was done."""


def run_comparison(request: CompareRequest, notify: Notify = lambda _: None) -> Scoreboard:
    """Measure every engine; a failing one is named, and the others go on.

    Raises:
        JoinstormError: The tape or the broker is not usable.
    """
    begin = time.monotonic()
    request.folder.mkdir(parents=True, exist_ok=True)
    comparison = _Comparison(request, notify)
    comparison.measure()
    scores = sorted(comparison.scores.values(), key=_rank)
    info = comparison.tape.info
    return Scoreboard(
        truth_digest=comparison.truth.digest,
        events=info.events,
        scenario=info.name,
        scale=info.scale,
        seed=info.seed,
        workers=request.workers,
        scores=tuple(scores),
        seconds=round(time.monotonic() - begin, 1),
    )


def _rank(score: Score) -> tuple[bool, float]:
    return not score.exact, -(score.throughput.events_per_cpu_second if score.throughput else 0.0)


class _Comparison:
    """One comparison in progress."""

    def __init__(self, request: CompareRequest, notify: Notify) -> None:
        self.request, self.notify = request, notify
        self.scores = {name: Score(engine=name, problems=(why,)) for name, why in request.missing.items()}
        self.scores |= {engine.name: Score(engine=engine.name) for engine in request.engines}
        self.tape = Tape.open(request.tape)
        self.at = times(self.tape)
        notify(f"sending {self.tape.info.events:,} events")
        self.info = self._open(self.tape, 0)
        self.truth = oracle.ask(request.tape, self.info)
        make_sender = sender_factory("aiokafka", request.connection, paced=False)
        Replay(self.tape, self.info, make_sender).play()

    def measure(self) -> None:
        """Measure every part of every engine."""
        for engine in self.request.engines:
            self._part(engine, "throughput", self._throughput)
        self._judge()
        for name, part in (("recovery", self._recovery), ("latency", self._latency), ("sustained", self._sustained)):
            for engine in self.request.engines:
                if name in self.request.parts and self.scores[engine.name].throughput is not None:
                    self._part(engine, name, part)

    def _part(self, engine: EngineUnderTest, name: str, part: Callable[[EngineUnderTest, Score], str]) -> None:
        score = self.scores[engine.name]
        try:
            self.notify(f"{engine.name}: {name}: {part(engine, score)}")
        except JoinstormError as error:
            score.problems = (*score.problems, f"{name}: {error}")
            self.notify(f"{engine.name}: {name} failed: {error}")

    def _throughput(self, engine: EngineUnderTest, score: Score) -> str:
        with self._engine_run(engine, self.info, "throughput") as run:
            found = score.throughput = throughput(run, self.request.seconds)
        return f"{found.events_per_cpu_second:,.0f} events per CPU second, {found.peak_mib:,.0f} MiB"

    def _recovery(self, engine: EngineUnderTest, score: Score) -> str:
        with self._engine_run(engine, self.info, "recovery", f"{engine.name}-killed") as run:
            found = score.recovery = recovery(run, self.request.seconds, 0.0)
        return "done before it could be killed" if found.seconds is None else f"{found.seconds:.1f} s"

    def _latency(self, engine: EngineUnderTest, score: Score) -> str:
        found = score.latency = self._paced(engine, self.request.load, LATENCY_SECONDS, "latency")
        return (
            f"50 % within {_seconds(found.p50)}, 99 % within {_seconds(found.p99)} at {found.events_per_second:,.0f}/s"
        )

    def _sustained(self, engine: EngineUnderTest, score: Score) -> str:
        assert score.throughput is not None
        kept: tuple[bool, ...] = ()
        while kept in FACTORS:
            rate = score.throughput.events_per_second * FACTORS[kept]
            found = self._paced(engine, rate, PROBE_SECONDS, f"probe-{len(kept)}")
            held = kept_up(found)
            kept = (*kept, held)
            if not held:  # the rates close in, so this is the lowest that was too high so far
                score.sustained_limit = "the producer" if found.on_time_ratio < PRODUCER_LIMIT else ""
                continue
            score.sustained = max(score.sustained or found, found, key=lambda probe: probe.events_per_second)
            if found.events_per_second < TAPE_LIMIT * rate:
                score.sustained_limit = "the tape: it has no busier part"
                break
        if score.sustained is None:
            return "kept up with none of the rates tried"
        return f"speed {score.sustained.speed:g}, {score.sustained.events_per_second:,.0f} events/s"

    def _paced(self, engine: EngineUnderTest, rate: float, seconds: float, name: str) -> Paced:
        evening = self.at[self.at < self._evening_end()]
        speed = speed_for(evening, rate, seconds)
        width = int(seconds * speed * 1000)
        begin, _ = busiest(evening, width)
        tape = cut(self.tape, begin, begin + width, self.request.folder / f"{name}.parquet")
        info = self._open(tape, speed)
        with self._engine_run(engine, info, name) as run:
            return paced(run, tape, times(tape), speed, drain_seconds=seconds)

    def _evening_end(self) -> int:
        """Return the start of the first quiet phase: later events are too sparse to measure with."""
        quiet = [phase.start for phase in self.tape.info.phases if phase.quiet]
        return quiet[0] if quiet else self.tape.info.end

    def _judge(self) -> None:
        """Compare every engine's counts with the oracle's."""
        names = [name for name, score in self.scores.items() if score.throughput is not None]
        with ResultReader(self.request.connection, run=self.info.run) as reader:
            try:
                view = reader.wait_until_drained(names, self.request.seconds)
            except DeadlineError:
                view = reader.snapshot()
        for name in names:
            score = self.scores[name]
            found = compare(final_tables(view.engines[name]), self.truth.tables, self.info)
            score.problems = problems(view, name)
            score.digest, score.mismatches, score.compared = found.digest, found.mismatches, found.records_compared
            score.exact = not found.mismatches and not score.problems
            self.notify(f"{name}: {'exact' if score.exact else f'{found.mismatches:,} counts differ'}")

    def _open(self, tape: Tape, speed: float) -> RunInfo:
        run = f"compare-{uuid.uuid4().hex[:8]}"
        step = max(1_000, int(speed * STEP_WALL_MS)) if speed else 60_000
        if tape.info.end - tape.info.start > MOST_MARKS * step:
            step = least_watermark_step(tape.info.end - tape.info.start)
        return open_run(self.request.connection, tape.info, run=run, watermark_step_ms=step)

    @contextlib.contextmanager
    def _engine_run(self, engine: EngineUnderTest, info: RunInfo, part: str, name: str = "") -> Iterator[EngineRun]:
        logs = self.request.folder / "logs" / engine.name / part
        request = self.request
        with EngineRun(request.connection, engine, info, logs, request.workers, name, request.silence) as run:
            yield run


def kept_up(found: Paced) -> bool:
    """Whether an engine kept up with a probe: it ended, and its latency hardly grew."""
    return found.ended and found.growth is not None and found.growth <= KEPT_UP_GROWTH


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f} s"
