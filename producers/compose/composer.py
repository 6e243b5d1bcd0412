"""From blocks of a tape to the records of each partition: encoded, partitioned, with marks between them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from producers.compose import lanes
from producers.compose.lanes import Ints, Lane
from producers.compose.marks import end_mark, watermarks
from producers.compose.partition import partition_table
from streams.contract.runinfo import RunInfo
from streams.contract.topics import INPUTS, PRESENCE

_UNLABELLED = ("event_id", "at", "kind", "person")
_COLUMNS = {
    PRESENCE: (*_UNLABELLED, "topic", "space", "client", "try", "reason", "since_drop_ms"),
    "": (*_UNLABELLED, "topic", "tweet_id", "conversation", "ref", "text", "hashtags", "lang"),
}


@dataclass(frozen=True, slots=True)
class Block:
    """The records made from a block of the tape."""

    lanes: tuple[Lane, ...]
    """One per partition of each input topic, in the order of ``INPUTS`` and partitions; some may be empty."""
    until: int
    """Event time up to which the block reaches: later records are due at or after it."""
    low_row: int
    """The first row of the tape that is not wholly contained in this block and those before it."""


class StreamFaults(Protocol):
    """Changes records before they leave: not at all, or by declared faults."""

    disorder_ms: int
    """How long a record may be held back and still leave before its watermark; the watermarks wait this long."""

    def apply(self, lane: Lane) -> tuple[Lane, int]:
        """Return the records to send, in any order, and how many distinct events are among them."""
        ...


class NoFaults:
    """Every record leaves once, intact and in order."""

    disorder_ms = 0

    def apply(self, lane: Lane) -> tuple[Lane, int]:
        """Return the lane as it is."""
        return lane, len(lane)


class Composer:
    """Turns blocks of a tape, in order, into blocks of lanes.

    Args:
        info: The run: topics, partitions, watermark step.
        plan: Declared faults.
    """

    def __init__(self, info: RunInfo, plan: StreamFaults | None = None) -> None:
        self.info = info
        self.plan: StreamFaults = NoFaults() if plan is None else plan
        names = info.names()
        self._carried = [
            lanes.empty(names.input(base), partition) for base in INPUTS for partition in range(info.partitions)
        ]
        self._partition_of = partition_table(info.people, info.partitions)
        self._events = [0] * len(self._carried)
        self.marked = info.start
        """Event time after which watermarks are still to be sent."""

    def compose(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Block]:
        """Yield a block of lanes for every block of the tape, and a last one with the end marks."""
        for batch in batches:
            if batch.num_rows:
                yield self.block(batch)
        yield self.close()

    def skip(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Count blocks that an earlier replay has sent: the end marks include them, but they are not sent again."""
        for batch in batches:
            for number, lane in enumerate(self.fresh(batch)):
                self._events[number] += self.plan.apply(lane)[1]

    def block(self, batch: pa.RecordBatch) -> Block:
        """Return the records of a block of the tape that are due before the next block can begin."""
        until = int(batch.column("at")[-1].as_py())
        next_row = int(batch.column("event_id")[-1].as_py()) + 1
        sent = [self._lane(number, lane, until) for number, lane in enumerate(self.fresh(batch))]
        self.marked = max(self.marked, until - self.plan.disorder_ms)
        held = [int(lane.rows.min()) for lane in self._carried if len(lane)]
        return Block(tuple(sent), until, min(held, default=next_row))

    def close(self) -> Block:
        """Return the records held back, the watermarks up to the end of the night, and the end marks."""
        last = []
        for number, lane in enumerate(self._carried):
            rest = lane.merged(self._watermarks(lane, self.info.end + self.plan.disorder_ms))
            due = np.array([max(self.info.end, int(rest.due[-1]) if len(rest) else 0)])
            end = end_mark(self.info.run, self.info.end, self._events[number])
            value = pa.array([end], pa.binary())
            mark = lanes.marks(lane.topic, lane.partition, due, np.array([self.info.end]), value)
            last.append(lanes.joined([rest, mark]))
        return Block(tuple(last), max(int(lane.due[-1]) for lane in last), self.info.events)

    def _lane(self, number: int, fresh: Lane, until: int) -> Lane:
        planned, distinct = self.plan.apply(fresh)
        self._events[number] += distinct
        waiting = lanes.joined([self._carried[number], planned]).in_order()
        due, self._carried[number] = waiting.split(until)
        return due.merged(self._watermarks(fresh, until))

    def _watermarks(self, lane: Lane, until: int) -> Lane:
        delay = self.plan.disorder_ms
        at, values = watermarks(self.info.run, self.marked, until - delay, self.info.watermark_step_ms)
        return lanes.marks(lane.topic, lane.partition, at + delay, at, values)

    def fresh(self, batch: pa.RecordBatch) -> Iterator[Lane]:
        """Yield the events of a block, encoded, lane by lane, before any fault."""
        # Kernels take half a second to load: a process that only plans or checks a replay does without.
        from producers.compose.encode import digits, encode_presence, encode_tweets, warm  # noqa: PLC0415

        warm()
        topics = batch.column("topic").cast(pa.string())
        people = batch.column("person").to_numpy()
        for base in INPUTS:
            chosen = np.flatnonzero(pc.equal(topics, base).to_numpy(zero_copy_only=False))
            partitions = self._partition_of[people[chosen]]
            order = np.argsort(partitions, kind="stable")
            rows = batch.select(_COLUMNS.get(base, _COLUMNS[""])).take(pa.array(chosen[order]))
            values = encode_presence(rows) if base == PRESENCE else encode_tweets(rows)
            keys = digits(rows.column("person").to_numpy())
            at, ids = _ints(rows, "at"), _ints(rows, "event_id")
            whole = Lane(self.info.names().input(base), 0, at, at, ids, keys, values)
            bounds = np.searchsorted(partitions[order], np.arange(self.info.partitions + 1))
            for partition in range(self.info.partitions):
                part = whole.part(int(bounds[partition]), int(bounds[partition + 1]))
                yield Lane(whole.topic, partition, part.due, part.at, part.rows, part.keys, part.values)


def _ints(rows: pa.RecordBatch, name: str) -> Ints:
    column: Ints = rows.column(name).to_numpy()
    return column
