"""Whole record batches through kafka-python: the one place that reaches behind the client's public face.

``KafkaProducer.send`` appends one record to a ``ProducerBatch`` in the accumulator; the client's own thread sends,
retries, splits and completes these batches. ``BatchHandOver`` puts a ``ProducerBatch`` there that is already packed.
All that follows is the client's work: metadata, sequence numbers, retries, the delivery timeout, splitting.
``kafka_fit`` checks that the installed version has what this relies on.
"""
# ruff: noqa: SLF001 - kafka-python has no public way in for a whole batch

from collections import Counter
from collections.abc import Callable
from typing import Any

from kafka.errors import IllegalStateError
from kafka.producer.producer_batch import ProducerBatch
from kafka.record.memory_records import MemoryRecordsBuilder
from kafka.structs import TopicPartition

from producers.compose.lanes import Lane
from producers.senders.recordbatch import PACK_FROM, pack
from streams.kafka.packedbatch import PackedBatch

_UNBOUNDED = 1 << 30


class ClosedRecords:
    """Stands in for a ``MemoryRecordsBuilder`` to which nothing can be added."""

    def __init__(self, packed: PackedBatch) -> None:
        self._packed = packed
        self._buffer: bytes | None = None
        self.producer_id = -1
        self.producer_epoch = -1
        self.base_sequence = -1

    def append(self, timestamp: object, key: object, value: object, headers: object = None) -> None:
        """Return None: the batch is full."""

    def is_full(self) -> bool:
        """Return True: the batch leaves without lingering."""
        return True

    def next_offset(self) -> int:
        """Return the number of records."""
        return self._packed.count

    def size_in_bytes(self) -> int:
        """Return the size on the wire."""
        return self._packed.size()

    def compression_rate(self) -> float:
        """Return 1: nothing is compressed."""
        return 1.0

    def set_producer_state(
        self, producer_id: int, producer_epoch: int, base_sequence: int, is_transactional: bool
    ) -> None:
        """Take the sequence number of the first record; a batch that was on the wire keeps the one it has.

        Raises:
            IllegalStateError: The bytes are made already, or the producer is transactional.
        """
        if self._buffer is not None or is_transactional:
            raise IllegalStateError("the producer state of a packed batch is set once, and not by a transaction")
        self.producer_id, self.producer_epoch, self.base_sequence = producer_id, producer_epoch, base_sequence

    def close(self) -> None:
        """Make the bytes, header and checksum included; they stay the same when the batch is retried."""
        if self._buffer is None:
            self._buffer = self._packed.sealed(self.producer_id, self.producer_epoch, self.base_sequence)

    def buffer(self) -> bytes:
        """Return the bytes of the closed batch."""
        assert self._buffer is not None
        return self._buffer


class Delivery:
    """The outcome of a batch; stands in for the futures of all its records, which the client rebinds when it splits.

    Args:
        lane: The records.
        batch: What the client has of them.
        done: Called once, in the client's thread, when the outcome is complete.
    """

    def __init__(self, lane: Lane, batch: Any, done: Callable[[], None]) -> None:
        self.lane = lane
        self.failed: Counter[str] = Counter()
        """Records that failed, by the name of their error."""
        self.pending = len(lane)
        """Records whose outcome is not known."""
        self._records: dict[Any, int] = {}
        self._done = done
        self._follow(batch.produce_future, len(lane))

    def rebind(self, produce_future: Any, index: int) -> None:  # noqa: ARG002 - records are only counted
        """Follow one record into the batch it was moved to; the future of the split batch never completes."""
        self._follow(produce_future, 1)

    def _follow(self, future: Any, count: int) -> None:
        if future not in self._records:
            self._records[future] = 0
            future.add_callback(self._settle, future)
        self._records[future] += count

    def _settle(self, future: Any, outcome: tuple[Any, Any, Callable[[int], Exception] | None]) -> None:
        count, error_of = self._records.pop(future), outcome[2]
        if error_of is not None:
            self.failed.update(type(error_of(index)).__name__ for index in range(count))
        self.pending -= count
        if not self.pending:
            self._done()


class BatchHandOver:
    """Gives batches to a ``KafkaProducer``.

    Args:
        producer: Idempotent, not transactional, without compression, linger 0.
        done: Called in the client's thread whenever a batch is done.
    """

    def __init__(self, producer: Any, done: Callable[[], None]) -> None:
        self._producer = producer
        self._done = done

    def give(self, lane: Lane) -> Delivery:
        """Queue a batch behind those of its partition; it leaves at the next ``wake``.

        Raises:
            KafkaError: The topic is unknown, or the producer is closed.
        """
        self._producer.partitions_for(lane.topic)  # waits for the topic's first metadata, as send does
        accumulator, place = self._producer._accumulator, TopicPartition(lane.topic, lane.partition)
        batch = ProducerBatch(place, _records(lane))
        delivery = Delivery(lane, batch, self._done)
        batch._record_futures = [delivery] * len(lane)
        accumulator._appends_in_progress.increment()
        try:
            with accumulator._tp_lock(place):
                if accumulator._closed:
                    raise IllegalStateError("the producer is closed")
                accumulator._batches[place].append(batch)
                accumulator._incomplete.add(batch)
        finally:
            accumulator._appends_in_progress.decrement()
        return delivery

    def wake(self) -> None:
        """Have the client's thread look at its queues."""
        self._producer._sender.wakeup()


def _records(lane: Lane) -> Any:
    if len(lane) >= PACK_FROM or lane.headers is not None:
        return ClosedRecords(pack(lane))
    records = MemoryRecordsBuilder(2, 0, _UNBOUNDED)
    for at, key, value in zip(lane.at.tolist(), lane.keys.to_pylist(), lane.values.to_pylist(), strict=True):
        records.append(at, key, value)
    return records
