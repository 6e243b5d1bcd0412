"""Record by record: every future is checked, and the records of a partition are settled in order."""

from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError

from producers.senders import kafka_records
from producers.senders.kafka_records import KafkaRecordSender
from producers.senders.protocol import UNACKNOWLEDGED
from streams.errors import BrokerError
from tests.fakekafka import Deliveries, lane, rows


class _Future:
    def __init__(self) -> None:
        self.is_done = False
        self.exception: Exception | None = None

    def end(self, error: Exception | None = None) -> None:
        """Complete it."""
        self.is_done, self.exception = True, error


class _Producer:
    """Keeps what is sent; a test completes the futures."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, ...]] = []
        self.futures: list[_Future] = []
        self.closed = False

    def send(self, *record: Any) -> _Future:
        """Keep a record."""
        self.sent.append(record)
        self.futures.append(_Future())
        return self.futures[-1]

    def flush(self, timeout: float) -> None:
        """Fail as a client does whose broker is away."""
        raise KafkaTimeoutError(str(timeout))

    def close(self, timeout: float) -> None:
        """Note it."""
        self.closed = timeout > 0


def test_hand_overs_settle_in_order() -> None:
    """A hand-over is settled when all its futures are done, behind those before it; failures are counted by error."""
    producer, deliveries = _Producer(), Deliveries()
    sender = KafkaRecordSender(producer, deliveries)
    sender.send(lane(rows(2)))
    sender.send(lane(rows(3)))
    assert deliveries.left_rows == [0, 1, 0, 1, 2]
    for future in producer.futures[1:]:
        future.end()
    sender.wait(0.0)
    assert deliveries.settled_rows == []
    producer.futures[0].end(KafkaTimeoutError())
    sender.wait(0.0)
    assert deliveries.settled_rows == [0, 1, 0, 1, 2]
    assert deliveries.failed == {"KafkaTimeoutError": 1}
    assert producer.sent[0] == ("t", b"value 0", b"0", [], 0, rows(1)[0][0])


def test_close_gives_up_in_time() -> None:
    """What is not acknowledged by then has failed."""
    producer, deliveries = _Producer(), Deliveries()
    sender = KafkaRecordSender(producer, deliveries)
    sender.send(lane(rows(4)))
    producer.futures[0].end()
    sender.publish("status", b"key", b"value")
    sender.close(0.01)
    assert deliveries.failed == {UNACKNOWLEDGED: 3}
    assert producer.closed


def test_under_way_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is room while few records are unacknowledged."""
    monkeypatch.setattr(kafka_records, "RECORDS_UNDER_WAY", 3)
    producer = _Producer()
    sender = KafkaRecordSender(producer, Deliveries())
    sender.send(lane(rows(3)))
    assert not sender.room()
    producer.futures[0].end()
    assert sender.room()


def test_a_record_the_client_refuses_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the partition."""
    producer = _Producer()

    def refuse(*record: Any) -> _Future:
        raise MessageSizeTooLargeError(str(len(record)))

    monkeypatch.setattr(producer, "send", refuse)
    with pytest.raises(BrokerError, match=r"t\[0\]"):
        KafkaRecordSender(producer, Deliveries()).send(lane(rows(1)))
