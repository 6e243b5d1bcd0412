"""From blocks of a tape to what each partition is sent: encoded, partitioned, with the marks woven in."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from producers.compose import lanes
from producers.compose.encode import digits, encode_presence, encode_tweets
from producers.compose.lanes import Ints, Lane
from producers.compose.marks import end_mark, watermark, watermark_times
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
    """What a block of the tape comes to."""

    lanes: tuple[Lane, ...]
    """One per partition of each input topic, in the order of ``INPUTS`` and partitions; some may be empty."""
    until: int
    """Event time the block reaches to: what follows is due at or after it."""
    low_row: int
    """The first row of the tape that this block and those before it do not wholly contain."""


class StreamFaults(Protocol):
    """What is done to records on their way: nothing, or declared faults."""

    disorder_ms: int
    """How long a record may be held back and still leave before its watermark; the watermarks wait for it."""

    def apply(self, lane: Lane) -> tuple[Lane, int]:
        """Return the records as they shall leave, in any order, and how many distinct events are among them."""
        ...


class NoFaults:
    """Everything leaves once, whole and in order."""

    disorder_ms = 0

    def apply(self, lane: Lane) -> tuple[Lane, int]:
        """Return the lane as it is."""
        return lane, len(lane)


class Composer:
    """Turns blocks of a tape, in order, into blocks of lanes.

    Args:
        info: The run: topics, partitions, step of the watermarks.
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
        """The event time after which watermarks are still to be sent."""

    def compose(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Block]:
        """Yield a block of lanes for every block of the tape, and a last one that ends with the end marks."""
        for batch in batches:
            if batch.num_rows:
                yield self.block(batch)
        yield self.close()

    def skip(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Take in blocks that an earlier replay has sent: they count for the end marks and are not sent again."""
        for batch in batches:
            for number, lane in enumerate(self.fresh(batch)):
                self._events[number] += self.plan.apply(lane)[1]

    def block(self, batch: pa.RecordBatch) -> Block:
        """Return what a block of the tape comes to, as far as it is due before the next block can begin."""
        until = int(batch.column("at")[-1].as_py())
        next_row = int(batch.column("event_id")[-1].as_py()) + 1
        sent = [self._lane(number, lane, until) for number, lane in enumerate(self.fresh(batch))]
        self.marked = max(self.marked, until - self.plan.disorder_ms)
        held = [int(lane.rows.min()) for lane in self._carried if len(lane)]
        return Block(tuple(sent), until, min(held, default=next_row))

    def close(self) -> Block:
        """Return what was held back, the watermarks up to the end of the night, and the end marks."""
        last = []
        for number, lane in enumerate(self._carried):
            woven = lane.woven(self._watermarks(lane, self.info.end + self.plan.disorder_ms))
            over = np.array([max(self.info.end, int(woven.due[-1]) if len(woven) else 0)])
            end = end_mark(self.info.run, self.info.end, self._events[number])
            mark = lanes.marks(lane.topic, lane.partition, over, np.array([self.info.end]), [end])
            last.append(lanes.joined([woven, mark]))
        return Block(tuple(last), max(int(lane.due[-1]) for lane in last), self.info.events)

    def _lane(self, number: int, fresh: Lane, until: int) -> Lane:
        planned, distinct = self.plan.apply(fresh)
        self._events[number] += distinct
        waiting = lanes.joined([self._carried[number], planned]).in_order()
        due, self._carried[number] = waiting.split(until)
        return due.woven(self._watermarks(fresh, until))

    def _watermarks(self, lane: Lane, until: int) -> Lane:
        held = self.plan.disorder_ms
        at = watermark_times(self.marked, until - held, self.info.watermark_step_ms)
        return lanes.marks(
            lane.topic, lane.partition, at + held, at, [watermark(self.info.run, one) for one in at.tolist()]
        )

    def fresh(self, batch: pa.RecordBatch) -> Iterator[Lane]:
        """Yield the events of a block, encoded, lane by lane: nothing is done to them yet."""
        topics = batch.column("topic").cast(pa.string())
        for base in INPUTS:
            wanted = batch.select(_COLUMNS.get(base, _COLUMNS[""]))
            rows = wanted.filter(pc.equal(topics, base))
            partitions = self._partition_of[rows.column("person").to_numpy()]
            order = np.argsort(partitions, kind="stable")
            rows = rows.take(pa.array(order))
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
