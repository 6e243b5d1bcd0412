"""A capture as the source of a replay: the records of all partitions by their times, each partition in its order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from producers.capture.capturefile import Capture, Entry
from producers.capture.columns import encoded_headers
from producers.capture.eventtime import UNKNOWN, EventTime, Ints
from producers.compose import lanes
from producers.compose.composer import Block, NoFaults, StreamFaults
from producers.compose.lanes import Lane
from producers.replay.position import Position
from streams.errors import CaptureError


@dataclass(frozen=True, slots=True)
class TimedEntry:
    """A batch of a capture, and when its records are due."""

    entry: Entry
    row: int
    """The number of its first record in the capture."""
    before: int
    """The latest time in its partition before it, ``UNKNOWN`` if there is none."""
    last: int
    """The time at which its last record is due."""


@dataclass(frozen=True)
class Timeline:
    """When each record of a capture is due: at its time, but never before a record in front of it in its partition."""

    capture: Capture
    time: EventTime
    partitions: dict[tuple[str, int], list[TimedEntry]]
    start: int
    """The time of the first record."""
    end: int
    """The time of the last record."""
    unknown: int
    """Records that tell no time; they leave with the record in front of them."""

    def due(self, timed: TimedEntry, batch: pa.RecordBatch) -> Ints:
        """Return when the records of a batch are due, ascending."""
        times = np.maximum.accumulate(np.maximum(self.time.times(batch), timed.before))
        found: Ints = np.maximum(times, self.start)
        return found


def timeline(capture: Capture, time: EventTime, progress: Callable[[int, int], None]) -> Timeline:
    """Return when the records of a capture are due; with a field as the time, all of them are read.

    Raises:
        CaptureError: It cannot be read, or no record tells a time.
    """
    partitions: dict[tuple[str, int], list[TimedEntry]] = {}
    row = unknown = 0
    least, greatest = np.iinfo(np.int64).max, UNKNOWN
    for place, entries in capture.by_partition.items():
        before = UNKNOWN
        for entry in entries:
            first, last, none = _range(capture, entry, time)
            timed = TimedEntry(entry, row, before, max(before, last))
            partitions.setdefault(place, []).append(timed)
            before = timed.last
            row, unknown = row + entry.note.records, unknown + none
            if last != UNKNOWN:
                least, greatest = min(least, first), max(greatest, last)
            progress(row, capture.records)
    if not capture.records:
        raise CaptureError(f"{capture.path}: holds no records")
    if greatest == UNKNOWN:
        what = "a timestamp" if time.field is None else f"a time in the field {time.field} ({time.form})"
        raise CaptureError(f"{capture.path}: none of its {capture.records:,} records has {what}")
    return Timeline(capture, time, partitions, least, greatest, unknown)


def _range(capture: Capture, entry: Entry, time: EventTime) -> tuple[int, int, int]:
    """Return the least and the greatest time of a batch, and how many of its records tell none."""
    note = entry.note
    if time.field is None and note.first_at >= 0:
        return note.first_at, note.last_at, 0
    times = time.times(capture.read(entry))
    known = times[times != UNKNOWN]
    if not len(known):
        return UNKNOWN, UNKNOWN, len(times)
    return int(known.min()), int(known.max()), len(times) - len(known)


@dataclass(frozen=True)
class Cut:
    """What of a capture is played, and into what.

    Args:
        topics: The topic for each captured one.
        partitions: How many each of these topics has.
        begin: The time from which on records are sent.
        until: The time before which they are sent, None for all of them.
        shift: What is added to the timestamps, ms.
    """

    topics: dict[str, str]
    partitions: dict[str, int]
    begin: int
    until: int | None = None
    shift: int = 0


class CaptureSource:
    """The blocks of a capture (``producers.replay.source.Source``).

    Args:
        timeline: When its records are due.
        cut: What of it is played.
        plan: Declared faults.
    """

    def __init__(self, timeline: Timeline, cut: Cut, plan: StreamFaults | None = None) -> None:
        self._timeline = timeline
        self._cut = cut
        self._plan: StreamFaults = NoFaults() if plan is None else plan

    def blocks(self, resume: Position | None) -> Iterator[Block]:
        """Yield blocks, those of a saved position from its time on."""
        begin = max(self._cut.begin, resume.at) if resume else self._cut.begin
        held = [lanes.empty(*self._target(*place)) for place in self._timeline.partitions]
        queues = [
            _Queue(self._lanes(*place, begin), nothing)
            for place, nothing in zip(self._timeline.partitions, held, strict=True)
        ]
        while any(queue.lane is not None for queue in queues):
            until = min(int(queue.lane.due[-1]) for queue in queues if queue.lane is not None)
            for number, queue in enumerate(queues):
                planned, _ = self._plan.apply(queue.take(until))
                held[number] = lanes.joined([held[number], planned]).in_order()
            parts = [lane.split(until) for lane in held]
            held = [rest for _, rest in parts]
            yield self._block([due for due, _ in parts], until)
        if any(len(lane) for lane in held):
            yield self._block(held, max(int(lane.due[-1]) for lane in held if len(lane)))

    @staticmethod
    def _block(found: list[Lane], until: int) -> Block:
        return Block(tuple(found), until, 0)

    def _target(self, topic: str, partition: int) -> tuple[str, int]:
        name = self._cut.topics[topic]
        return name, partition % self._cut.partitions[name]

    def _lanes(self, topic: str, partition: int, begin: int) -> Iterator[Lane]:
        """Yield the records of a partition that are wanted, batch by batch."""
        until = self._cut.until
        target = self._target(topic, partition)
        for timed in self._timeline.partitions[topic, partition]:
            if max(timed.last, self._timeline.start) < begin:
                continue
            batch = self._timeline.capture.read(timed.entry)
            due = self._timeline.due(timed, batch)
            first = int(np.searchsorted(due, begin))
            end = len(due) if until is None else int(np.searchsorted(due, until))
            if end > first:
                yield self._lane(target, timed.row, due, batch).part(first, end)
            if end < len(due):
                return

    def _lane(self, target: tuple[str, int], row: int, due: Ints, batch: pa.RecordBatch) -> Lane:
        at = batch.column("timestamp").to_numpy()
        return Lane(
            *target,
            due=due,
            at=at + self._cut.shift if self._cut.shift else at,
            rows=np.arange(row, row + len(due)),
            keys=batch.column("key"),
            values=batch.column("value"),
            headers=encoded_headers(batch.column("headers")),
        )


class _Queue:
    """What is left of a partition's records, of which one batch is loaded."""

    def __init__(self, source: Iterator[Lane], nothing: Lane) -> None:
        self._source = source
        self._nothing = nothing
        self.lane = next(source, None)
        """The loaded records, None after the last."""

    def take(self, until: int) -> Lane:
        """Remove and return the loaded records that are due up to and at a time."""
        if self.lane is None:
            return self._nothing
        due, rest = self.lane.split(until)
        self.lane = rest if len(rest) else next(self._source, None)
        return due
