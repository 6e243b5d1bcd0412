"""The same tape through several engines, one at a time: correctness first, then cost."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, TypeAlias

from joinstorm.compare.enginerun import EngineRun
from joinstorm.compare.faultypart import faults, faulty_part
from joinstorm.compare.fullspeed import recovery, throughput
from joinstorm.compare.paced import LATENCY_SECONDS, PROBE_SECONDS, Paced, paced
from joinstorm.compare.playednight import PlayedNight, opened, played
from joinstorm.compare.scorefigures import FIGURES
from joinstorm.compare.scores import Score, Scoreboard, SeedFrom, Turn
from joinstorm.compare.tapeparts import busiest, cut, speed_for, times
from joinstorm.engines.setup import EngineSetup
from joinstorm.engines.undertest import EngineUnderTest
from joinstorm.run.supervisor import compile_kernels
from producers.tape.tapefile import Tape
from streams.contract.runinfo import RunInfo
from streams.errors import EngineError, JoinstormError
from streams.kafka.connection import Connection

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
PARTS: Final = ("recovery", "faults", "latency", "sustained")
"""What is measured besides throughput, in this order."""


@dataclass(frozen=True)
class CompareRequest:
    """Which engines to compare, and how.

    Args:
        connection: A broker with no other load.
        engines: The engines.
        tape: The night.
        folder: For logs, state and tapes.
        workers: Workers of each engine.
        repeats: How often everything is measured; the engines take turns.
        load: Events per second of the latency part.
        seconds: How long an engine may take for the whole tape.
        silence: Seconds without progress after which an engine counts as stuck.
        missing: Engines that cannot run here, and why; the scoreboard shows them as failed.
        setups: How the engines are set up, by the name of their results.
        parts: Which of ``PARTS`` are measured besides throughput.
        seed_from: Where the seed of the tape is from.
    """

    connection: Connection
    engines: Sequence[EngineUnderTest]
    tape: Path
    folder: Path
    workers: int = 1
    repeats: int = 1
    load: float = 2_000.0
    seconds: float = 300.0
    silence: float = 120.0
    missing: Mapping[str, str] = field(default_factory=dict)
    setups: Mapping[str, EngineSetup] = field(default_factory=dict)
    parts: tuple[str, ...] = PARTS
    seed_from: SeedFrom = "tape"


Notify: TypeAlias = Callable[[str], None]
"""Called with a line about what was done."""
_PartOf: TypeAlias = Callable[[EngineUnderTest, Turn, int], str]
"""Measures an engine in a repeat, into its turn, and returns a line about it."""


def _rank(score: Score) -> tuple[bool, float]:
    spread = FIGURES[0].spread(score)
    return not score.exact, -((spread.median if spread else None) or 0.0)


class Tournament:
    """A comparison: measured part by part; a failing engine is named, and the others go on.

    Args:
        request: What to compare.
        notify: Called after every measurement.

    Raises:
        JoinstormError: The tape or the broker is not usable (on creation: the night is sent).
    """

    def __init__(self, request: CompareRequest, notify: Notify = lambda _: None) -> None:
        self.request, self.notify = request, notify
        self._began = time.monotonic()
        self._fault_events = 0
        request.folder.mkdir(parents=True, exist_ok=True)
        self.scores = {name: Score(engine=name, problems=(why,)) for name, why in request.missing.items()}
        for engine in request.engines:
            setup = request.setups.get(engine.name, EngineSetup())
            turns = tuple(Turn() for _ in range(request.repeats))
            self.scores[engine.name] = Score(engine=engine.name, setup=setup, turns=turns)
        self.tape = Tape.open(request.tape)
        self.at = times(self.tape)
        compile_kernels()
        notify(f"sending {self.tape.info.events:,} events")
        self.night = played(request.connection, self.tape)

    @cached_property
    def faulty(self) -> PlayedNight:
        """A part of the night with declared faults."""
        part = faulty_part(self.tape, self.at, self.request.folder / "faults.parquet")
        self._fault_events = part.info.events
        self.notify(f"sending {part.info.events:,} events with declared faults")
        return played(self.request.connection, part, faults())

    def measure(self) -> None:
        """Measure every part of every engine; in each part the engines take turns."""
        parts = {
            "throughput": self._throughput, "recovery": self._recovery, "faults": self._faults,
            "latency": self._latency, "sustained": self._sustained,
        }  # fmt: skip
        for name, part in parts.items():
            if name != "throughput" and name not in self.request.parts:
                continue
            for number in range(self.request.repeats):
                for engine in self.request.engines:
                    if name == "throughput" or self.scores[engine.name].counted:
                        self._part(engine, name, number, part)
            self._judge(name)

    def scoreboard(self, *, interrupted: bool = False) -> Scoreboard:
        """Return what has been measured so far.

        Args:
            interrupted: Whether this is not all there was to measure.
        """
        request, info = self.request, self.tape.info
        return Scoreboard(
            truth_digest=self.night.truth.digest,
            events=info.events,
            scenario=info.name,
            scale=info.scale,
            seed=info.seed,
            seed_from=request.seed_from,
            workers=request.workers,
            repeats=request.repeats,
            load=request.load,
            fault_events=self._fault_events,
            scores=tuple(sorted(self.scores.values(), key=_rank)),
            seconds=round(time.monotonic() - self._began, 1),
            interrupted=interrupted,
        )

    def _part(self, engine: EngineUnderTest, name: str, number: int, part: _PartOf) -> None:
        score = self.scores[engine.name]
        what = f"{engine.name}: {name}" + (f" {number + 1}" if self.request.repeats > 1 else "")
        try:
            self.notify(f"{what}: {part(engine, score.turns[number], number)}")
        except JoinstormError as error:
            score.problems = (*score.problems, f"{name}: {error}")
            score.failed = (*score.failed, name)
            self.notify(f"{what} failed: {error}")

    def _throughput(self, engine: EngineUnderTest, turn: Turn, number: int) -> str:
        with self._run(engine, self.night.info, "throughput", number) as run:
            found = turn.throughput = throughput(run, self.request.seconds)
        return f"{found.events_per_cpu_second:,.0f} events per CPU second, {found.peak_mib:,.0f} MiB"

    def _recovery(self, engine: EngineUnderTest, turn: Turn, number: int) -> str:
        with self._run(engine, self.night.info, "recovery", number) as run:
            found = turn.recovery = recovery(run, self.request.seconds, self.request.seconds)
        return "done before it could be killed" if found.seconds is None else f"{found.seconds:.1f} s"

    def _faults(self, engine: EngineUnderTest, turn: Turn, number: int) -> str:  # noqa: ARG002 - as every part
        info = self.faulty.info
        with self._run(engine, info, "faults", number) as run:
            run.start()
            run.wait("the end of the part with faults", lambda sample: sample.ended, self.request.seconds)
        return f"counted {info.events:,} events"

    def _latency(self, engine: EngineUnderTest, turn: Turn, number: int) -> str:
        found = turn.latency = self._paced(engine, self.request.load, LATENCY_SECONDS, "latency", number)
        return (
            f"50 % within {_seconds(found.p50)}, 99 % within {_seconds(found.p99)} at {found.events_per_second:,.0f}/s"
        )

    def _sustained(self, engine: EngineUnderTest, turn: Turn, number: int) -> str:
        assert turn.throughput is not None
        kept: tuple[bool, ...] = ()
        while kept in FACTORS:
            rate = turn.throughput.events_per_second * FACTORS[kept]
            found = self._paced(engine, rate, PROBE_SECONDS, f"probe-{len(kept)}", number)
            held = kept_up(found)
            kept = (*kept, held)
            if not held:  # the rates close in, so this is the lowest that was too high so far
                turn.sustained_limit = "the producer" if found.on_time_ratio < PRODUCER_LIMIT else ""
                continue
            turn.sustained = max(turn.sustained or found, found, key=lambda probe: probe.events_per_second)
            if found.events_per_second < TAPE_LIMIT * rate:
                turn.sustained_limit = "the tape: it has no busier part"
                break
        if turn.sustained is None:
            raise EngineError("kept up with none of the rates tried")
        return f"speed {turn.sustained.speed:g}, {turn.sustained.events_per_second:,.0f} events/s"

    def _paced(self, engine: EngineUnderTest, rate: float, seconds: float, name: str, number: int) -> Paced:
        evening = self.at[self.at < self._evening_end()]
        speed = speed_for(evening, rate, seconds)
        width = int(seconds * speed * 1000)
        begin, _ = busiest(evening, width)
        tape = cut(self.tape, begin, begin + width, self.request.folder / f"{name}.parquet")
        info = opened(self.request.connection, tape, speed)
        with self._run(engine, info, name, number, engine.name) as run:
            return paced(run, tape, times(tape), speed, drain_seconds=seconds)

    def _evening_end(self) -> int:
        """Return the start of the first quiet phase: later events are too sparse to measure with."""
        quiet = [phase.start for phase in self.tape.info.phases if phase.quiet]
        return quiet[0] if quiet else self.tape.info.end

    def _judge(self, part: str) -> None:
        """Compare the counts of a part with the oracle's, where it gives answers."""
        field_of = {"throughput": "answer", "recovery": "after_kill", "faults": "with_faults"}
        names = {
            _name(engine, part, number): turn
            for engine in self.scores
            for number, turn in enumerate(self.scores[engine].turns)
            if self.scores[engine].counted and part not in self.scores[engine].failed
        }
        if part not in field_of or not names:
            return
        night = self.faulty if part == "faults" else self.night
        for name, answer in night.judge([*names]).items():
            setattr(names[name], field_of[part], answer)
            self.notify(f"{name}: {part}: {'exact' if answer.exact else f'{answer.mismatches:,} counts differ'}")

    def _run(self, engine: EngineUnderTest, info: RunInfo, part: str, number: int, name: str = "") -> EngineRun:
        request = self.request
        logs = request.folder / "logs" / engine.name / (f"{part}-{number + 1}" if request.repeats > 1 else part)
        name = name or _name(engine.name, part, number)
        return EngineRun(request.connection, engine, info, logs, request.workers, name, request.silence)


def _name(engine: str, part: str, number: int) -> str:
    """Return the name of the results of an engine in a part: several runs of it count the same topics."""
    return "-".join([engine, *(["killed"] if part == "recovery" else []), *([str(number + 1)] if number else [])])


def kept_up(found: Paced) -> bool:
    """Whether an engine kept up with a probe: it ended, and its latency hardly grew."""
    return found.ended and found.growth is not None and found.growth <= KEPT_UP_GROWTH


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f} s"
