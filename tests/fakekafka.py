"""kafka-python's real accumulator and sender thread against a broker in memory, which answers as a test wants."""

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from kafka.errors import KafkaConnectionError
from kafka.future import Future
from kafka.producer.record_accumulator import RecordAccumulator
from kafka.producer.sender import Sender
from kafka.producer.transaction_manager import ProducerIdAndEpoch, TransactionManager
from kafka.protocol.producer import ProduceResponse
from kafka.record.memory_records import MemoryRecords
from kafka.structs import TopicPartition

from producers.compose.lanes import Lane

TOPIC = "t"
PRODUCER_ID = 7
_Topic = ProduceResponse.TopicProduceResponse
Record = tuple[int, bytes | None, bytes]
Answer = Callable[["FakeBroker", TopicPartition, bytes], int | None]


def lane(rows: list[Record], partition: int = 0) -> Lane:
    """Return a lane of these records."""
    at = np.array([row[0] for row in rows], dtype=np.int64)
    keys, values = pa.array([row[1] for row in rows], pa.binary()), pa.array([row[2] for row in rows], pa.binary())
    return Lane(TOPIC, partition, at, at, np.arange(len(rows)), keys, values)


def rows(count: int, first: int = 0) -> list[Record]:
    """Return records that tell themselves apart."""
    return [
        (1_700_000_000_000 + number, b"%d" % number, b"value %d" % number) for number in range(first, first + count)
    ]


def accept(broker: "FakeBroker", place: TopicPartition, data: bytes) -> int | None:
    """Append a batch as a broker does: duplicates are known by their sequence, gaps are refused."""
    (batch,) = MemoryRecords(data)
    assert batch.validate_crc()
    assert (batch.producer_id, batch.producer_epoch) == (PRODUCER_ID, 0)
    records = list(batch)
    assert [record.offset for record in records] == list(range(len(records)))
    assert all(not record.headers for record in records)
    log = broker.log[place]
    if batch.base_sequence < len(log):
        return 46  # DuplicateSequenceNumber
    assert batch.base_sequence == len(log), "a gap in the sequence"
    log += [(record.timestamp, record.key, record.value) for record in records]
    return 0


def lose_the_answer(broker: "FakeBroker", place: TopicPartition, data: bytes) -> int | None:
    """Append a batch, and break the connection before the answer."""
    accept(broker, place, data)
    return None


def unreachable(broker: "FakeBroker", place: TopicPartition, data: bytes) -> int | None:
    """Break the connection before the batch arrives."""
    return None


def refuse(code: int) -> Answer:
    """Return an answer with an error code."""
    return lambda broker, place, data: code  # noqa: ARG005 - an answer


def at_most(size: int) -> Answer:
    """Return an answer that refuses batches of more records than ``size`` as too large."""

    def answer(broker: "FakeBroker", place: TopicPartition, data: bytes) -> int | None:
        (batch,) = MemoryRecords(data)
        return 10 if len(list(batch)) > size else accept(broker, place, data)

    return answer


class Deliveries:
    """Keeps what a sender reports."""

    def __init__(self) -> None:
        self.left_rows: list[int] = []
        self.settled_rows: list[int] = []
        self.failed: Counter[str] = Counter()

    def left(self, lane: Lane, wall: float) -> None:  # noqa: ARG002 - the time is not tested
        """Note the rows."""
        self.left_rows += lane.rows.tolist()

    def settled(self, lane: Lane, wall: float, failed: Mapping[str, int]) -> None:  # noqa: ARG002 - likewise
        """Note the rows."""
        self.settled_rows += lane.rows.tolist()
        self.failed.update(failed)


class FakeBroker:
    """The network client of a sender thread, its metadata, and the broker behind it, with one topic.

    Args:
        answers: How the first requests of a partition are answered; ``accept`` after that.
        silent: Whether no answer ever comes.
    """

    def __init__(self, answers: Mapping[int, list[Answer]] | None = None, *, silent: bool = False) -> None:
        self.log: defaultdict[TopicPartition, list[Record]] = defaultdict(list)
        self.seen: defaultdict[TopicPartition, list[bytes]] = defaultdict(list)
        self.cluster = self
        self._topics = {TOPIC}
        self._answers = {number: deque(script) for number, script in (answers or {}).items()}
        self._silent = silent
        self._due: deque[tuple[Future, Any]] = deque()
        self._woken = threading.Event()

    def values(self, partition: int = 0) -> list[Record]:
        """Return what a partition holds."""
        return self.log[TopicPartition(TOPIC, partition)]

    def leader_for_partition(self, place: TopicPartition) -> int:  # noqa: ARG002 - there is one broker
        """Return the broker of a partition."""
        return 0

    def partitions_for_broker(self, node: int) -> list[TopicPartition]:  # noqa: ARG002 - there is one broker
        """Return the partitions of a broker."""
        return [TopicPartition(TOPIC, number) for number in range(2)]

    def request_update(self) -> Future:
        """Return metadata that is there already."""
        return Future().success(self)

    def is_ready(self, node: int) -> bool:  # noqa: ARG002 - there is one broker
        """Return True."""
        return True

    def in_flight_request_count(self) -> int:
        """Return how many requests have no answer."""
        return len(self._due)

    def send(self, node: int, request: Any, wakeup: bool) -> Future:  # noqa: ARG002 - there is one broker
        """Take a request; ``poll`` answers it."""
        future = Future()
        self._due.append((future, request))
        return future

    def poll(self, timeout_ms: float) -> None:
        """Answer the requests that wait, or wait for a wake-up."""
        if self._due and not self._silent:
            self._answer(*self._due.popleft())
        elif timeout_ms:
            self._woken.wait(min(timeout_ms / 1000, 0.05))
            self._woken.clear()

    def wakeup(self) -> None:
        """End a poll."""
        self._woken.set()

    def close(self) -> None:
        """Do nothing."""

    def _answer(self, future: Future, request: Any) -> None:
        answers = []
        for topic in request.topic_data:
            for one in topic.partition_data:
                place = TopicPartition(topic.name, one.index)
                self.seen[place].append(bytes(one.records))
                script = self._answers.get(one.index)
                code = (script.popleft() if script else accept)(self, place, bytes(one.records))
                if code is None:
                    future.failure(KafkaConnectionError("gone"))
                    return
                base = len(self.log[place])
                answers.append(_Topic.PartitionProduceResponse(index=one.index, error_code=code, base_offset=base))
        future.success(ProduceResponse(responses=[_Topic(name=TOPIC, partition_responses=answers)]))


class FakeProducer:
    """A ``KafkaProducer`` as far as a batch sender uses it, on a broker in memory."""

    def __init__(self, broker: FakeBroker, delivery_timeout_ms: int = 120_000) -> None:
        manager = TransactionManager(api_version=(4, 0))
        manager.set_producer_id_and_epoch(ProducerIdAndEpoch(PRODUCER_ID, 0))
        settings = {"transaction_manager": manager, "retry_backoff_ms": 1, "request_timeout_ms": 1}
        self._accumulator = RecordAccumulator(delivery_timeout_ms=delivery_timeout_ms, **settings)
        self._sender = Sender(broker, broker, self._accumulator, acks=-1, guarantee_message_order=True, **settings)
        self._sender.daemon = True
        self._sender.start()

    def partitions_for(self, topic: str) -> set[int]:
        """Return the partitions of the topic."""
        assert topic == TOPIC
        return {0, 1}

    def send(self, topic: str, value: bytes, key: bytes | None) -> Any:
        """Append one record to partition 0 as ``KafkaProducer.send`` does."""
        future, *_ = self._accumulator.append(TopicPartition(topic, 0), 1, key, value, [])
        self._sender.wakeup()
        return future

    def close(self, timeout: float) -> None:
        """End the thread, by force after the timeout."""
        self._sender.initiate_close()
        self._sender.join(timeout)
        self._sender.force_close()
        self._sender.join()
