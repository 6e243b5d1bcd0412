"""The sender on kafka-python's public face alone: one ``send`` per record, every future checked."""

import contextlib
import time
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any, ClassVar

from kafka.errors import KafkaError

from producers.compose.lanes import Lane
from producers.senders.protocol import UNACKNOWLEDGED, DeliveryListener
from producers.senders.recordbatch import rows
from streams.errors import BrokerError
from streams.kafka.closing import close_producer

RECORDS_UNDER_WAY = 40_000
"""Records not yet acknowledged: the client itself has no bound, unsent records would pile up in memory."""
SETTLE_SECONDS = 0.002


class KafkaRecordSender:
    """Sends record by record with kafka-python, whose own thread does the network.

    Args:
        producer: A ``KafkaProducer``; closed with the sender.
        listener: Receives the deliveries.
    """

    name: ClassVar[str] = "kafka-python"
    portion: ClassVar[int] = 500

    def __init__(self, producer: Any, listener: DeliveryListener) -> None:
        self._producer = producer
        self._listener = listener
        self._futures: dict[tuple[str, int], deque[tuple[Lane, deque[Any]]]] = {}
        self._failed: dict[tuple[str, int], Counter[str]] = {}
        self._under_way = 0

    def send(self, lane: Lane) -> None:
        """Hand every record to the client."""
        send, topic, partition = self._producer.send, lane.topic, lane.partition
        try:
            futures = deque(send(topic, value, key, headers, partition, at) for at, key, value, headers in rows(lane))
        except KafkaError as error:
            raise BrokerError(f"{topic}[{partition}]: {error}") from error
        self._under_way += len(futures)
        self._futures.setdefault((topic, partition), deque()).append((lane, futures))
        self._listener.left(lane, time.monotonic())

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
        """Return whether fewer than ``RECORDS_UNDER_WAY`` records are unacknowledged."""
        if self._under_way >= RECORDS_UNDER_WAY:
            self._settle()
        return self._under_way < RECORDS_UNDER_WAY

    def wait(self, seconds: float) -> None:
        """Sleep; the client has its own thread."""
        time.sleep(min(seconds, SETTLE_SECONDS))
        self._settle()

    def close(self, seconds: float) -> None:
        """Flush and close; records not acknowledged by then have failed."""
        deadline = time.monotonic() + seconds
        with contextlib.suppress(KafkaError):
            self._producer.flush(timeout=seconds)
        while self._under_way and time.monotonic() < deadline:
            self.wait(SETTLE_SECONDS)
        self._settle(give_up=True)
        close_producer(self._producer, max(0.1, deadline - time.monotonic()))

    def _settle(self, *, give_up: bool = False) -> None:
        """Check the futures from the oldest on; those of one partition are done in order."""
        now = time.monotonic()
        for place, waiting in self._futures.items():
            failed = self._failed.setdefault(place, Counter())
            while waiting:
                lane, futures = waiting[0]
                while futures and (futures[0].is_done or give_up):
                    future = futures.popleft()
                    self._under_way -= 1
                    if not future.is_done:
                        failed[UNACKNOWLEDGED] += 1
                    elif future.exception is not None:
                        failed[type(future.exception).__name__] += 1
                if futures:
                    break
                waiting.popleft()
                self._listener.settled(lane, now, failed)
                failed = self._failed[place] = Counter()
