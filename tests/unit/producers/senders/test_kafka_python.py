"""Whole batches in kafka-python's own accumulator and sender thread, against a broker in memory."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from kafka.errors import IllegalStateError
from kafka.record.memory_records import MemoryRecords
from kafka.structs import TopicPartition

from producers.senders import backlog, kafka_python
from producers.senders.kafka_batches import ClosedRecords
from producers.senders.kafka_python import KafkaBatchSender, open_sender
from producers.senders.kafka_records import KafkaRecordSender
from producers.senders.protocol import UNACKNOWLEDGED
from producers.senders.recordbatch import PACK_FROM, pack
from streams.errors import BrokerError
from streams.kafka.connection import Connection
from tests.fakekafka import (
    TOPIC,
    Deliveries,
    FakeBroker,
    FakeProducer,
    accept,
    at_most,
    lane,
    lose_the_answer,
    refuse,
    rows,
    unreachable,
)

PACKED = 3 * PACK_FROM
SMALL = PACK_FROM // 4
PLACE = TopicPartition(TOPIC, 0)
TOO_LARGE, NOT_LEADER, NOT_AUTHORIZED, INVALID = 10, 6, 29, 87


def opened(broker: FakeBroker, **settings: Any) -> tuple[KafkaBatchSender, Deliveries]:
    """Return a sender on the broker, and what it reports to."""
    deliveries = Deliveries()
    return KafkaBatchSender(FakeProducer(broker, **settings), deliveries), deliveries


def until(sender: KafkaBatchSender, holds: Callable[[], bool]) -> None:
    """Give the client time until something holds."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        sender.wait(0.01)


@pytest.mark.parametrize("size", [SMALL, PACKED])
def test_records_arrive_once_and_in_order(size: int) -> None:
    """Batch after batch of two partitions: every record is there, reported once as handed over and once as settled."""
    broker = FakeBroker()
    sender, deliveries = opened(broker)
    sent = rows(4 * size)
    for begin in range(0, len(sent), size):
        for partition in (0, 1):
            sender.send(lane(sent[begin : begin + size], partition))
        sender.wait(0.0)
    sender.close(30)
    assert broker.values(0) == broker.values(1) == sent
    assert Counter(deliveries.left_rows) == Counter(deliveries.settled_rows) == Counter(list(range(size)) * 8)
    assert not deliveries.failed


@pytest.mark.parametrize("size", [SMALL, PACKED])
@pytest.mark.parametrize("trouble", [lose_the_answer, unreachable, refuse(NOT_LEADER)])
def test_a_batch_is_retried_with_the_same_bytes(size: int, trouble: Any) -> None:
    """Whether the broker had it or not, what comes again is the same batch with the same sequence, and counts once."""
    broker = FakeBroker({0: [accept, trouble]})
    sender, deliveries = opened(broker)
    for number in range(3):
        sender.send(lane(rows(size, size * number)))
        until(sender, lambda number=number: len(deliveries.settled_rows) == size * (number + 1))  # type: ignore[misc]
    sender.close(30)
    seen = broker.seen[PLACE]
    assert len(seen) == 4
    assert seen[1] == seen[2]
    assert [batch.base_sequence for data in seen for batch in MemoryRecords(data)] == [0, size, size, 2 * size]
    assert broker.values() == rows(3 * size)
    assert not deliveries.failed


def test_a_batch_that_is_too_large_is_split() -> None:
    """The client halves it until the broker takes the parts: one settlement, all records, in order, before the next."""
    limit = PACKED // 3
    broker = FakeBroker({0: [at_most(limit)] * 20})
    sender, deliveries = opened(broker)
    sender.send(lane(rows(PACKED)))
    sender.wait(0.0)
    sender.send(lane(rows(PACK_FROM, PACKED)))
    sender.close(30)
    assert broker.values() == rows(PACKED + PACK_FROM)
    assert deliveries.settled_rows == [*range(PACKED), *range(PACK_FROM)]
    assert not deliveries.failed


def test_a_part_that_fails_after_a_split_fails_alone() -> None:
    """Half of a split batch is refused for good: its records have failed, the others are there."""
    broker = FakeBroker({0: [refuse(TOO_LARGE), accept, refuse(NOT_AUTHORIZED)]})
    sender, deliveries = opened(broker)
    sender.send(lane(rows(PACKED)))
    sender.close(30)
    assert broker.values() == rows(PACKED // 2)
    assert deliveries.settled_rows == list(range(PACKED))
    assert deliveries.failed == {"TopicAuthorizationFailedError": PACKED // 2}


@pytest.mark.parametrize(
    ("code", "error"), [(NOT_AUTHORIZED, "TopicAuthorizationFailedError"), (INVALID, "InvalidRecordError")]
)
def test_a_refused_batch_has_failed(code: int, error: str) -> None:
    """A refusal without a way out counts every record by the name of the error."""
    sender, deliveries = opened(FakeBroker({0: [refuse(code)]}))
    sender.send(lane(rows(PACKED)))
    until(sender, lambda: bool(deliveries.settled_rows))
    assert deliveries.failed == {error: PACKED}
    sender.close(30)


def test_one_record_that_is_too_large_has_failed() -> None:
    """A single record cannot be split: it fails, and the replay that sent it learns why."""
    sender, deliveries = opened(FakeBroker({0: [refuse(TOO_LARGE)]}))
    sender.send(lane(rows(1)))
    sender.close(30)
    assert deliveries.failed == {"MessageSizeTooLargeError": 1}


def test_a_batch_expires() -> None:
    """Without an answer within the delivery timeout the client gives a batch up, and its records have failed."""
    sender, deliveries = opened(FakeBroker(silent=True), delivery_timeout_ms=50)
    sender.send(lane(rows(PACKED)))
    until(sender, lambda: bool(deliveries.settled_rows))
    assert deliveries.failed == {"KafkaTimeoutError": PACKED}
    sender.close(0.1)


def test_close_gives_up_on_a_silent_broker() -> None:
    """What the broker does not answer in time, and what still waits, is unacknowledged; nothing is reported twice."""
    sender, deliveries = opened(FakeBroker(silent=True))
    for number in range(4):
        sender.send(lane(rows(PACKED, number * PACKED)))
        sender.wait(0.0)
    sender.close(0.2)
    assert len(deliveries.settled_rows) == 4 * PACKED
    assert deliveries.failed == {UNACKNOWLEDGED: 4 * PACKED}


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is room until enough records wait behind the two batches of their partition."""
    monkeypatch.setattr(backlog, "WAITING_RECORDS", PACKED)
    sender, _ = opened(FakeBroker(silent=True))
    for _ in range(backlog.BATCHES_PER_LANE):
        assert sender.room()
        sender.send(lane(rows(PACKED)))
        sender.wait(0.0)
    assert sender.room()
    sender.send(lane(rows(PACKED)))
    sender.wait(0.0)
    assert not sender.room()
    sender.close(0.1)


def test_single_records_go_beside_batches() -> None:
    """A record published between two batches stays between them, and leaves with ``close`` at the latest."""
    broker = FakeBroker()
    sender, _ = opened(broker)
    sender.send(lane(rows(PACKED)))
    sender.wait(0.0)
    sender.publish(TOPIC, b"key", b"status")
    sender.send(lane(rows(PACKED, PACKED)))
    sender.close(30)
    assert broker.values() == [*rows(PACKED), (1, b"key", b"status"), *rows(PACKED, PACKED)]


def test_a_closed_client_takes_nothing() -> None:
    """A batch for a client that was closed is an error that names the partition, not a batch that is lost."""
    producer = FakeProducer(FakeBroker())
    sender = KafkaBatchSender(producer, Deliveries())
    producer.close(1)
    sender.send(lane(rows(PACKED)))
    with pytest.raises(BrokerError, match=r"t\[0\].*closed"):
        sender.wait(0.0)


def test_the_producer_state_is_set_once() -> None:
    """After the bytes are made the sequence stands; transactions are refused."""
    records = ClosedRecords(pack(lane(rows(PACKED))))
    with pytest.raises(IllegalStateError):
        records.set_producer_state(1, 0, 0, True)
    records.set_producer_state(1, 0, 5, False)
    records.close()
    made = records.buffer()
    records.close()
    assert records.buffer() is made
    with pytest.raises(IllegalStateError):
        records.set_producer_state(1, 0, 6, False)


def test_another_kafka_python_gets_single_records(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the installed version does not fit, one warning line names the difference and plain ``send`` is used."""
    settings: dict[str, Any] = {}
    monkeypatch.setattr(kafka_python, "misfits", lambda: ["RecordAccumulator has no _batches"])
    monkeypatch.setattr(kafka_python, "KafkaProducer", lambda **given: settings.update(given))
    sender = open_sender(Connection(), Deliveries(), paced=True)
    assert isinstance(sender, KafkaRecordSender)
    assert (settings["linger_ms"], settings["enable_idempotence"], settings["acks"]) == (5, True, "all")
    (line,) = caplog.messages
    assert "RecordAccumulator has no _batches" in line
