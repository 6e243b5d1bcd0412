"""A night, or a part of it, in Kafka for all engines of a comparison, and the judgement of their counts."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from joinstorm.compare.scores import Answer
from joinstorm.oracle import answers as oracle
from joinstorm.verdict.comparison import compare
from joinstorm.verdict.declaredfaults import declared
from joinstorm.verdict.verdicts import final_tables, problems
from producers.replay.opening import open_run
from producers.replay.playback import Replay
from producers.replay.schedule import MOST_MARKS, least_watermark_step
from producers.senders.registry import sender_factory
from producers.tape.tapefile import Tape
from streams.contract.runinfo import Faults, RunInfo
from streams.errors import DeadlineError
from streams.kafka.connection import Connection
from streams.read.reader import ResultReader

STEP_WALL_MS: Final = 50
"""Wall time between two watermarks of a paced part: the resolution of latency."""
FULL_SPEED_STEP_MS: Final = 60_000
READ_SECONDS: Final = 60.0
"""How long results may take to be read, of engines that have ended."""


@dataclass(frozen=True)
class PlayedNight:
    """A run whose topics are full, and its true counts."""

    connection: Connection
    info: RunInfo
    truth: oracle.Truth

    def judge(self, names: Sequence[str]) -> dict[str, Answer]:
        """Return the answer of every engine, by the name of its results."""
        with ResultReader(self.connection, run=self.info.run) as reader:
            try:
                view = reader.wait_until_drained(names, READ_SECONDS)
            except DeadlineError:
                view = reader.snapshot()
        found: dict[str, Answer] = {}
        for name in names:
            troubles = problems(view, name)
            engine = view.engines.get(name)
            if engine is None:
                found[name] = Answer(exact=False, problems=troubles)
                continue
            same = compare(final_tables(engine), self.truth.tables, self.info)
            found[name] = Answer(
                exact=not same.mismatches and not troubles,
                digest=same.digest,
                mismatches=same.mismatches,
                compared=same.records_compared,
                problems=troubles,
            )
        return found


def opened(connection: Connection, tape: Tape, speed: float, faults: Faults | None = None) -> RunInfo:
    """Open a run for a tape.

    Args:
        connection: The broker.
        tape: The tape.
        speed: Event seconds per second; 0 for full speed.
        faults: The declared faults.
    """
    run = f"compare-{uuid.uuid4().hex[:8]}"
    step = max(1_000, int(speed * STEP_WALL_MS)) if speed else FULL_SPEED_STEP_MS
    if tape.info.end - tape.info.start > MOST_MARKS * step:
        step = least_watermark_step(tape.info.end - tape.info.start)
    return open_run(connection, tape.info, run=run, watermark_step_ms=step, faults=faults)


def played(connection: Connection, tape: Tape, faults: Faults | None = None) -> PlayedNight:
    """Send a whole tape at full speed and count it; arguments as of ``opened``."""
    info = opened(connection, tape, 0, faults)
    truth = oracle.ask(tape.path, info, exclude=declared(info).missing)
    Replay(tape, info, sender_factory("aiokafka", connection, paced=False)).play()
    return PlayedNight(connection, info, truth)
