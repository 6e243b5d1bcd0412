"""The same tape through several engines, one after the other: correctness first, then what it costs."""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from joinstorm.compare.fullspeed import recovery, throughput
from joinstorm.compare.paced import Paced, paced
from joinstorm.compare.rig import Rig
from joinstorm.compare.scores import Score, Scoreboard
from joinstorm.compare.tapeparts import busiest, cut, speed_for, times
from joinstorm.engines.undertest import EngineUnderTest
from joinstorm.oracle import answers as oracle
from joinstorm.verdict.comparison import compare
from joinstorm.verdict.verdicts import final_tables, problems
from producers.replay.opening import open_run
from producers.replay.playback import Replay
from producers.senders.registry import sender_factory
from producers.tape.tapefile import Tape
from streams.contract.runinfo import RunInfo
from streams.errors import DeadlineError, JoinstormError
from streams.kafka.connection import Connection
from streams.read.reader import ResultReader

LATENCY_SECONDS: Final = 10.0
PROBE_SECONDS: Final = 5.0
"""How long events are sent, and how long an engine may take to its end after the last one."""
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
"""Rates to try next, as shares of the measured throughput, by what was kept up so far."""
KEPT_UP_GROWTH: Final = 0.5
"""Seconds an engine may be later at the end of a probe than in its first half and still count as keeping up."""
PRODUCER_LIMIT: Final = 0.9
"""Events on time, as a share, below which it was the producer that could not do more."""
TAPE_LIMIT: Final = 0.9
"""Events that were there to be sent, as a share of what was asked for, below which the tape has no more."""
STEP_WALL_MS: Final = 50
"""Wall time between two watermarks of a paced part: how finely latency is seen."""


@dataclass(frozen=True)
class CompareRequest:
    """What is compared and how.

    Args:
        connection: A broker that nobody else uses.
        subjects: The engines.
        tape: The night.
        folder: For logs, state and tapes.
        workers: Workers of each engine.
        load: Events a second of the latency part.
        seconds: How long an engine may take over the whole tape.
        silence: Seconds without a word after which an engine is taken for stuck.
        missing: Engines that cannot run here, and why; they stand on the scoreboard as failed.
        parts: Which parts are measured besides throughput: ``recovery``, ``latency``, ``sustained``.
    """

    connection: Connection
    subjects: Sequence[EngineUnderTest]
    tape: Path
    folder: Path
    workers: int = 1
    load: float = 2_000.0
    seconds: float = 300.0
    silence: float = 60.0
    missing: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[str, ...] = ("recovery", "latency", "sustained")


Told = Callable[[str], None]


def run_comparison(order: CompareRequest, told: Told = lambda _: None) -> Scoreboard:
    """Measure every engine; one that fails is named and the others go on.

    Raises:
        JoinstormError: The tape or the broker is not usable.
    """
    begin = time.monotonic()
    order.folder.mkdir(parents=True, exist_ok=True)
    work = _Work(order, told)
    work.measure()
    scores = sorted(work.scores.values(), key=_rank)
    info = work.tape.info
    return Scoreboard(
        truth_digest=work.truth.digest,
        events=info.events,
        scenario=info.name,
        scale=info.scale,
        seed=info.seed,
        workers=order.workers,
        scores=tuple(scores),
        seconds=round(time.monotonic() - begin, 1),
    )


def _rank(score: Score) -> tuple[bool, float]:
    return not score.exact, -(score.throughput.events_per_cpu_second if score.throughput else 0.0)


class _Work:
    """One comparison while it is made."""

    def __init__(self, order: CompareRequest, told: Told) -> None:
        self.order, self.told = order, told
        self.scores = {name: Score(engine=name, problems=(why,)) for name, why in order.missing.items()}
        self.scores |= {subject.engine: Score(engine=subject.engine) for subject in order.subjects}
        self.tape = Tape.open(order.tape)
        self.at = times(self.tape)
        told(f"sending {self.tape.info.events:,} events")
        self.info = self._open(self.tape, 0)
        self.truth = oracle.ask(order.tape, self.info)
        make_sender = sender_factory("aiokafka", order.connection, paced=False)
        Replay(self.tape, self.info, make_sender).play()

    def measure(self) -> None:
        """Do every part for every engine."""
        for subject in self.order.subjects:
            self._part(subject, "throughput", self._throughput)
        self._judge()
        for name, part in (("recovery", self._recovery), ("latency", self._latency), ("sustained", self._sustained)):
            for subject in self.order.subjects:
                if name in self.order.parts and self.scores[subject.engine].throughput is not None:
                    self._part(subject, name, part)

    def _part(self, subject: EngineUnderTest, name: str, part: Callable[[EngineUnderTest, Score], str]) -> None:
        score = self.scores[subject.engine]
        try:
            self.told(f"{subject.engine}: {name}: {part(subject, score)}")
        except JoinstormError as error:
            score.problems = (*score.problems, f"{name}: {error}")
            self.told(f"{subject.engine}: {name} failed: {error}")

    def _throughput(self, subject: EngineUnderTest, score: Score) -> str:
        with self._rig(subject, self.info, "throughput") as rig:
            found = score.throughput = throughput(rig, self.order.seconds)
        return f"{found.events_per_cpu_second:,.0f} events per CPU second, {found.peak_mib:,.0f} MiB"

    def _recovery(self, subject: EngineUnderTest, score: Score) -> str:
        with self._rig(subject, self.info, "recovery", f"{subject.engine}-killed") as rig:
            found = score.recovery = recovery(rig, self.order.seconds, 0.0)
        return "done before it could be killed" if found.seconds is None else f"{found.seconds:.1f} s"

    def _latency(self, subject: EngineUnderTest, score: Score) -> str:
        found = score.latency = self._paced(subject, self.order.load, LATENCY_SECONDS, "latency")
        return (
            f"half within {_seconds(found.p50)}, 99 % within {_seconds(found.p99)} at {found.events_per_second:,.0f}/s"
        )

    def _sustained(self, subject: EngineUnderTest, score: Score) -> str:
        assert score.throughput is not None
        kept: tuple[bool, ...] = ()
        while kept in FACTORS:
            rate = score.throughput.events_per_second * FACTORS[kept]
            found = self._paced(subject, rate, PROBE_SECONDS, f"probe-{len(kept)}")
            held = kept_up(found)
            kept = (*kept, held)
            if not held:  # the rates tried close in: this is the lowest that was too much so far
                score.sustained_limit = "the producer" if found.on_time_ratio < PRODUCER_LIMIT else ""
                continue
            score.sustained = max(score.sustained or found, found, key=lambda one: one.events_per_second)
            if found.events_per_second < TAPE_LIMIT * rate:
                score.sustained_limit = "the tape: it has no more events in so short a time"
                break
        if score.sustained is None:
            return "none of the speeds tried"
        return f"speed {score.sustained.speed:g}, {score.sustained.events_per_second:,.0f} events/s"

    def _paced(self, subject: EngineUnderTest, rate: float, seconds: float, name: str) -> Paced:
        evening = self.at[self.at < self._evening_end()]
        speed = speed_for(evening, rate, seconds)
        width = int(seconds * speed * 1000)
        begin, _ = busiest(evening, width)
        tape = cut(self.tape, begin, begin + width, self.order.folder / f"{name}.parquet")
        info = self._open(tape, speed)
        with self._rig(subject, info, name) as rig:
            return paced(rig, tape, times(tape), speed, drain_seconds=seconds)

    def _evening_end(self) -> int:
        """Return where the first quiet phase begins: what follows is too thin to measure with."""
        quiet = [phase.start for phase in self.tape.info.phases if phase.quiet]
        return quiet[0] if quiet else self.tape.info.end

    def _judge(self) -> None:
        """Hold every engine's counts to the oracle's."""
        names = [name for name, score in self.scores.items() if score.throughput is not None]
        with ResultReader(self.order.connection, run=self.info.run) as reader:
            try:
                view = reader.wait_until_drained(names, self.order.seconds)
            except DeadlineError:
                view = reader.snapshot()
        for name in names:
            score = self.scores[name]
            found = compare(final_tables(view.engines[name]), self.truth.tables, self.info)
            score.problems = problems(view, name)
            score.digest, score.mismatches, score.compared = found.digest, found.mismatches, found.records_compared
            score.exact = not found.mismatches and not score.problems
            self.told(f"{name}: {'exact' if score.exact else f'{found.mismatches:,} counts differ'}")

    def _open(self, tape: Tape, speed: float) -> RunInfo:
        run = f"compare-{uuid.uuid4().hex[:8]}"
        step = max(1_000, int(speed * STEP_WALL_MS)) if speed else 60_000
        return open_run(self.order.connection, tape.info, run=run, watermark_step_ms=step)

    @contextlib.contextmanager
    def _rig(self, subject: EngineUnderTest, info: RunInfo, part: str, name: str = "") -> Iterator[Rig]:
        logs = self.order.folder / "logs" / subject.engine / part
        order = self.order
        with Rig(order.connection, subject, info, logs, order.workers, name, order.silence) as rig:
            yield rig


def kept_up(found: Paced) -> bool:
    """Whether an engine kept up with a probe: it ended, and was no later at its end than in its first half."""
    return found.ended and found.growth is not None and found.growth <= KEPT_UP_GROWTH


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f} s"
