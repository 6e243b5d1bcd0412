"""What is measured at a pace: how long until an event is seen in the results, and whether a speed can be kept up."""

import time
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from kafka import KafkaProducer

from joinstorm.compare.progresslog import ProgressSample
from joinstorm.compare.rig import Rig
from joinstorm.compare.usage import Usage
from producers.compose.marks import watermark
from producers.replay.playback import PlaybackRequest, Replay
from producers.senders.registry import sender_factory
from producers.tape.tapefile import Tape
from streams.contract.topics import INPUTS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

READY_SECONDS: Final = 90.0


class Paced(msgspec.Struct, frozen=True, kw_only=True):
    """Events that came when they were due: how long until they were seen in the results."""

    speed: float
    """Event seconds per second."""
    events: int
    events_per_second: float
    p50: float | None
    """Seconds from the due time of an event to a visible result that holds it; None when fewer were ever seen."""
    p95: float | None
    p99: float | None
    most: float | None
    on_time_ratio: float
    """Share of the events that left within 100 ms of their due time: below 0.9 the producer was the limit."""
    growth: float | None
    """Median of the last quarter less that of the second one, seconds: how much it fell behind."""
    ended: bool
    cpu_seconds: float


def paced(rig: Rig, tape: Tape, at: Ints, speed: float, drain_seconds: float) -> Paced:
    """Play a tape at a speed to an engine that is up.

    Args:
        rig: The engine, not started; its run is opened for this tape.
        tape: The tape.
        at: The tape's event times.
        speed: Event seconds per second.
        drain_seconds: How long after the last event it may take to its end.

    Raises:
        EngineError: It failed, or was not up in time.
    """
    rig.start()
    _greet(rig)
    make_sender = sender_factory("aiokafka", rig.connection, paced=True)
    replay = Replay(tape, rig.info, make_sender, settings=PlaybackRequest(speed=speed))
    with Usage(*(part.pid for part in rig.parts)) as usage:
        result = replay.play()
        ended = rig.log.wait(rig.name, lambda one: one.ended, drain_seconds, rig.check) is not None
    late = latencies(rig.log.seen(rig.name), at, replay.schedule.wall_of(at))
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


def _greet(rig: Rig) -> None:
    """Send a watermark of the run's start on every partition and wait until the engine has seen them: it is up."""
    producer = KafkaProducer(**rig.connection.for_kafka_python())
    for base in INPUTS:
        for partition in range(rig.info.partitions):
            value = watermark(rig.info.run, rig.info.start)
            producer.send(rig.info.topics[base], value, partition=partition, timestamp_ms=rig.info.start)
    producer.flush()
    producer.close()
    rig.wait("a first word", lambda one: one.watermark is not None, READY_SECONDS)


def latencies(seen: list[ProgressSample], at: Ints, due: Floats) -> Floats:
    """Return for each event the seconds from its due time to the first word of the engine that covers it.

    An engine that falls behind does not slow the schedule down, so waiting in a queue counts in full (no coordinated
    omission). Infinite where no word came; events that had no due time are left out.
    """
    said = [(one.watermark, one.wall) for one in seen if one.watermark is not None]
    marks = np.maximum.accumulate(np.array([mark for mark, _ in said], np.int64)) if said else np.empty(0, np.int64)
    walls = np.append(np.array([wall for _, wall in said], np.float64), np.inf)
    late: Floats = walls[np.searchsorted(marks, at, side="right")] - due
    return late[~np.isnan(due)]


def growth(late: Floats) -> float | None:
    """Return how much later the last quarter was than the second one, by their medians; None when it never came."""
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
