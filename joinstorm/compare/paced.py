"""Measurements at a given speed: the latency from an event to its visible result, and whether the engine keeps up."""

import time
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from kafka import KafkaProducer

from joinstorm.compare.enginerun import EngineRun
from joinstorm.compare.progresslog import ProgressSample
from joinstorm.compare.usage import Usage
from producers.compose.marks import watermark
from producers.replay.playback import PlaybackRequest, Replay
from producers.senders.registry import sender_factory
from producers.tape.tapefile import Tape
from streams.contract.topics import INPUTS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

READY_SECONDS: Final = 90.0
LATENCY_SECONDS: Final = 10.0
PROBE_SECONDS: Final = 5.0
"""How long events are sent, and how long an engine may then take to end."""


class Paced(msgspec.Struct, frozen=True, kw_only=True):
    """Events sent on schedule, and the latency of their results."""

    speed: float
    """Event seconds per second."""
    events: int
    events_per_second: float
    p50: float | None
    """Seconds from an event's due time to a visible result that includes it; None when fewer events became visible."""
    p95: float | None
    p99: float | None
    most: float | None
    on_time_ratio: float
    """Share of the events sent within 100 ms of their due time; below 0.9 the producer was the limit."""
    growth: float | None
    """Median latency of the last quarter minus that of the second quarter, seconds: how much the engine fell behind."""
    ended: bool
    cpu_seconds: float


def paced(run: EngineRun, tape: Tape, at: Ints, speed: float, drain_seconds: float) -> Paced:
    """Play a tape at a speed to an engine that is ready.

    Args:
        run: The engine, not started, on a run opened for this tape.
        tape: The tape.
        at: The tape's event times.
        speed: Event seconds per second.
        drain_seconds: How long the engine may take to end after the last event.

    Raises:
        EngineError: The engine failed, or was not ready in time.
    """
    run.start()
    _wait_until_ready(run)
    make_sender = sender_factory("aiokafka", run.connection, paced=True)
    replay = Replay(tape, run.info, make_sender, settings=PlaybackRequest(speed=speed))
    with Usage(*(part.pid for part in run.parts)) as usage:
        result = replay.play()
        ended = run.log.wait(run.name, lambda sample: sample.ended, drain_seconds, run.check) is not None
    late = latencies(run.log.samples(run.name), at, replay.schedule.wall_of(at))
    span = (int(at[-1]) - int(at[0])) / 1000 / speed
    return Paced(
        speed=round(speed, 1),
        events=len(at),
        events_per_second=round(len(at) / max(1e-3, span)),
        p50=_percentile(late, 50),
        p95=_percentile(late, 95),
        p99=_percentile(late, 99),
        most=_percentile(late, 100),
        on_time_ratio=round(result.on_time_ratio, 4),
        growth=growth(late),
        ended=ended,
        cpu_seconds=round(usage.cpu_at(time.monotonic()), 2),
    )


def _wait_until_ready(run: EngineRun) -> None:
    """Send a watermark of the run's start on every partition and wait until the engine reports it."""
    producer = KafkaProducer(**run.connection.for_kafka_python())
    for base in INPUTS:
        for partition in range(run.info.partitions):
            value = watermark(run.info.run, run.info.start)
            producer.send(run.info.topics[base], value, partition=partition, timestamp_ms=run.info.start)
    producer.flush()
    producer.close()
    run.wait("its first watermark", lambda sample: sample.watermark is not None, READY_SECONDS)


def latencies(samples: list[ProgressSample], at: Ints, due: Floats) -> Floats:
    """Return, for each event, the seconds from its due time to the first progress sample that covers it.

    An engine that falls behind does not slow the schedule down, so waiting in a queue counts in full (no coordinated
    omission). Infinite where no sample covers the event; events without a due time are left out.
    """
    reported = [(sample.watermark, sample.wall) for sample in samples if sample.watermark is not None]
    marks = (
        np.maximum.accumulate(np.array([mark for mark, _ in reported], np.int64)) if reported else np.empty(0, np.int64)
    )
    walls = np.append(np.array([wall for _, wall in reported], np.float64), np.inf)
    late: Floats = walls[np.searchsorted(marks, at, side="right")] - due
    return late[~np.isnan(due)]


def growth(late: Floats) -> float | None:
    """Return the median latency of the last quarter minus that of the second; None where it is infinite."""
    quarter = len(late) // 4
    if not quarter:
        return 0.0
    change = float(np.median(late[-quarter:])) - float(np.median(late[quarter : 2 * quarter]))
    return round(change, 3) if np.isfinite(change) else None


def _percentile(late: Floats, percent: float) -> float | None:
    if not len(late):
        return None
    value = float(np.percentile(late, percent, method="higher"))
    return round(value, 3) if np.isfinite(value) else None
