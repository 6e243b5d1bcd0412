"""Records that wait for a batch, per partition, and the batches cut from them."""

import bisect
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from producers.compose import lanes
from producers.compose.lanes import Lane

BATCH_BYTES = 1 << 20
"""The largest batch; Kafka's default for ``message.max.bytes`` is twelve bytes more."""
BATCHES_PER_LANE = 2
"""One on the wire and one behind it; later records wait and share the next batch."""
WAITING_RECORDS = 150_000
HEADER_BYTES = 61
RECORD_BYTES = 24
"""The most a record takes beside its key and value, in a batch of at most ``BATCH_BYTES``."""


@dataclass(slots=True)
class _Queue:
    """One partition."""

    waiting: deque[Lane] = field(default_factory=deque)
    batches: int = 0
    """Batches the client has and has not settled."""


class Backlog:
    """Keeps records in order per partition until the client has a place for their batch."""

    def __init__(self) -> None:
        self.records = 0
        """Records that wait."""
        self._queues: dict[tuple[str, int], _Queue] = {}

    def add(self, lane: Lane) -> None:
        """Queue records behind those of their partition."""
        self._queues.setdefault((lane.topic, lane.partition), _Queue()).waiting.append(lane)
        self.records += len(lane)

    def full(self) -> bool:
        """Return whether no more records should be added."""
        return self.records >= WAITING_RECORDS

    def batches(self) -> Iterator[Lane]:
        """Yield the batches that have a place now; each holds its place until ``settled``."""
        for queue in self._queues.values():
            while queue.waiting and queue.batches < BATCHES_PER_LANE:
                queue.batches += 1
                yield self._next(queue)

    def settled(self, batch: Lane) -> None:
        """Free the place of a batch."""
        self._queues[batch.topic, batch.partition].batches -= 1

    def drop(self) -> Iterator[Lane]:
        """Remove and yield all records that wait."""
        for queue in self._queues.values():
            while queue.waiting:
                lane = queue.waiting.popleft()
                self.records -= len(lane)
                yield lane

    def _next(self, queue: _Queue) -> Lane:
        """Take as many records from the front as one batch holds, at least one."""
        taken: list[Lane] = []
        space = BATCH_BYTES - HEADER_BYTES
        while queue.waiting:
            lane = queue.waiting[0]
            count = _fitting(lane, space) if taken else max(1, _fitting(lane, space))
            if count < len(lane):
                if count:
                    taken.append(lane.part(0, count))
                    queue.waiting[0] = lane.part(count, len(lane))
                break
            taken.append(queue.waiting.popleft())
            space -= _size(lane, len(lane))
        batch = lanes.joined(taken)
        self.records -= len(batch)
        return batch


def _fitting(lane: Lane, space: int) -> int:
    """Return how many of the first records certainly fit into so many bytes."""
    return bisect.bisect_right(range(1, len(lane) + 1), space, key=lambda count: _size(lane, count))


def _size(lane: Lane, count: int) -> int:
    """Return the most bytes the first records can take in a batch."""
    return count * RECORD_BYTES + _content(lane.keys, count) + _content(lane.values, count)


def _content(column: pa.BinaryArray, count: int) -> int:
    offsets = np.frombuffer(column.buffers()[1], dtype=np.int32)
    return int(offsets[column.offset + count] - offsets[column.offset])
