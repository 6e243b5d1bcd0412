"""Records that wait for a batch, per partition, and the batches cut from them."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from producers.compose import lanes
from producers.compose.binarycolumn import Offsets, offsets_of
from producers.compose.lanes import Lane

BATCH_BYTES = 1 << 20
"""The largest batch; Kafka's default for ``message.max.bytes`` is twelve bytes more."""
BATCHES_PER_LANE = 2
"""One on the wire and one behind it; later records wait and share the next batch."""
WAITING_RECORDS = 150_000
WAITING_BYTES = 64 << 20
"""More than so many records of the tape have; the records of a capture may be large."""
HEADER_BYTES = 61
RECORD_BYTES = 24
"""The most a record takes besides its key, value and headers, in a batch of at most ``BATCH_BYTES``."""


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
        self.bytes = 0
        """The most bytes that these can take."""
        self._queues: dict[tuple[str, int], _Queue] = {}

    def add(self, lane: Lane) -> None:
        """Queue records behind those of their partition."""
        self._queues.setdefault((lane.topic, lane.partition), _Queue()).waiting.append(lane)
        self.records += len(lane)
        self.bytes += _size(lane)

    def full(self) -> bool:
        """Return whether no more records should be added."""
        return self.records >= WAITING_RECORDS or self.bytes >= WAITING_BYTES

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
                self.bytes -= _size(lane)
                yield lane

    def _next(self, queue: _Queue) -> Lane:
        """Take as many records from the front as one batch holds, at least one."""
        taken: list[Lane] = []
        space = BATCH_BYTES - HEADER_BYTES
        while queue.waiting and space > 0:
            lane = queue.waiting.popleft()
            size = _size(lane)
            if size > space:
                count = max(_fitting(lane, space), 0 if taken else 1)
                if count < len(lane):
                    queue.waiting.appendleft(lane.part(count, len(lane)))
                lane = lane.part(0, count)
            taken.append(lane)
            space -= size
        batch = lanes.joined(taken)
        self.records -= len(batch)
        self.bytes -= _size(batch)
        return batch


def _size(lane: Lane) -> int:
    """Return the most bytes the records can take in a batch."""
    return len(lane) * RECORD_BYTES + sum(int(ends[-1] - ends[0]) for ends in _ends(lane))


def _fitting(lane: Lane, space: int) -> int:
    """Return how many of the first records certainly fit into so many bytes."""
    sizes = np.arange(1, len(lane) + 1) * RECORD_BYTES + sum(ends[1:] - ends[0] for ends in _ends(lane))
    return int(np.searchsorted(sizes, space, side="right"))


def _ends(lane: Lane) -> list[Offsets]:
    """Return where the lane's keys, values and headers begin and end in the buffers of their columns."""
    return [offsets_of(column) for column in (lane.keys, lane.values, lane.headers) if column is not None]
