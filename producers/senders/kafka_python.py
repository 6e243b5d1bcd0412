"""The sender on kafka-python: whole record batches, or record by record where the installed version does not fit."""

import contextlib
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any, ClassVar

from kafka import KafkaProducer
from kafka.errors import KafkaError
from kafka.version import __version__

from producers.compose.lanes import Lane
from producers.senders.backlog import Backlog
from producers.senders.kafka_fit import misfits
from producers.senders.kafka_records import KafkaRecordSender
from producers.senders.protocol import UNACKNOWLEDGED, DeliveryListener, Sender
from streams.errors import BrokerError
from streams.kafka.admin import ANSWER_SECONDS, unreachable
from streams.kafka.closing import close_producer
from streams.kafka.connection import Connection

PACED_LINGER_MS = 5
"""Record by record: short, so that records leave soon after they are due."""
BULK_LINGER_MS = 30
RECORD_BATCH_BYTES = 512 << 10
REQUEST_BYTES = 4 << 20

_log = logging.getLogger(__name__)


def open_sender(connection: Connection, listener: DeliveryListener, *, paced: bool) -> Sender:
    """Return a sender of whole batches; of single records, with a warning, where kafka-python has changed inside.

    Args:
        connection: Where the broker is.
        listener: Receives the deliveries.
        paced: Whether events have due times, or leave as fast as possible.

    Raises:
        BrokerError: Nobody answers at the address.
    """
    if found := misfits():
        _log.warning("kafka-python %s takes no whole batches, sending is slower: %s", __version__, "; ".join(found))
        linger = PACED_LINGER_MS if paced else BULK_LINGER_MS
        return KafkaRecordSender(_producer(connection, linger_ms=linger, batch_size=RECORD_BATCH_BYTES), listener)
    return KafkaBatchSender(_producer(connection, linger_ms=0), listener)


def _producer(connection: Connection, **settings: int) -> Any:
    # Idempotent: a retried batch is there once, and in order.
    fixed = {"acks": "all", "enable_idempotence": True, "max_request_size": REQUEST_BYTES, "metrics_enabled": False}
    started = time.monotonic()
    try:
        return KafkaProducer(
            **{**fixed, **settings, "bootstrap_timeout_ms": int(ANSWER_SECONDS * 1000), **connection.for_kafka_python()}
        )
    except KafkaError as error:
        raise unreachable(connection, error, time.monotonic() - started) from error


class KafkaBatchSender:
    """Sends whole batches with kafka-python, whose own thread does the network.

    Args:
        producer: A ``KafkaProducer`` as ``kafka_batches.BatchHandOver`` needs it; closed with the sender.
        listener: Receives the deliveries.
    """

    name: ClassVar[str] = "kafka-python"
    portion: ClassVar[int] = 20_000

    def __init__(self, producer: Any, listener: DeliveryListener) -> None:
        from producers.senders.kafka_batches import BatchHandOver, Delivery  # noqa: PLC0415 - only where it fits

        self._producer = producer
        self._listener = listener
        self._backlog = Backlog()
        self._news = threading.Event()
        self._client = BatchHandOver(producer, self._news.set)
        self._deliveries: dict[tuple[str, int], deque[Delivery]] = {}

    def send(self, lane: Lane) -> None:
        """Queue the records; they leave in the next batch of their partition."""
        self._backlog.add(lane)

    def find(self, topics: Iterable[str]) -> None:
        """Wait for the topics' metadata."""
        with contextlib.suppress(KafkaError):
            for topic in topics:
                self._producer.partitions_for(topic)

    def publish(self, topic: str, key: bytes, value: bytes) -> None:
        """Hand one record to the client."""
        with contextlib.suppress(KafkaError):
            self._producer.send(topic, value, key)

    def room(self) -> bool:
        """Return whether few records wait for a batch."""
        return not self._backlog.full()

    def wait(self, seconds: float) -> None:
        """Hand over batches, and wait so long or until the client has settled one."""
        self._pump()
        if self._news.wait(seconds):
            self._news.clear()
            self._settle()
            self._pump()

    def close(self, seconds: float) -> None:
        """Send what waits and close; records not acknowledged by then have failed."""
        deadline = time.monotonic() + seconds
        while (self._backlog.records or any(self._deliveries.values())) and time.monotonic() < deadline:
            self.wait(0.05)
        self._settle(give_up=True)
        now = time.monotonic()
        for lane in self._backlog.drop():
            self._listener.settled(lane, now, {UNACKNOWLEDGED: len(lane)})
        close_producer(self._producer, max(0.1, deadline - now))

    def _pump(self) -> None:
        """Give the client the batches that it has a place for."""
        given = False
        for batch in self._backlog.batches():
            try:
                delivery = self._client.give(batch)
            except KafkaError as error:
                raise BrokerError(f"{batch.topic}[{batch.partition}]: {error}") from error
            self._deliveries.setdefault((batch.topic, batch.partition), deque()).append(delivery)
            self._listener.left(batch, time.monotonic())
            given = True
        if given:
            self._client.wake()

    def _settle(self, *, give_up: bool = False) -> None:
        """Report deliveries from the oldest on; those of one partition complete in order."""
        now = time.monotonic()
        for deliveries in self._deliveries.values():
            while deliveries and (give_up or not deliveries[0].pending):
                delivery = deliveries.popleft()
                failed = Counter(delivery.failed)
                if missing := delivery.pending:
                    failed[UNACKNOWLEDGED] += missing
                self._backlog.settled(delivery.lane)
                self._listener.settled(delivery.lane, now, failed)
