"""The sender on kafka-python: one ``send`` per record, every future looked at."""

import contextlib
import time
from collections import Counter, deque
from typing import Any, ClassVar

from kafka import KafkaProducer
from kafka.errors import KafkaError

from producers.compose.lanes import Lane
from producers.senders.protocol import UNACKNOWLEDGED, DeliveryListener
from streams.errors import BrokerError
from streams.kafka.admin import ANSWER_SECONDS, unreachable
from streams.kafka.connection import Connection

PACED_LINGER_MS = 5
"""Short, so that records leave soon after they are due."""
BULK_LINGER_MS = 30
BATCH_BYTES = 512 << 10
REQUEST_BYTES = 4 << 20
ON_THE_WAY = 40_000
"""Records not yet acknowledged: the client itself has no bound, unsent records would pile up in memory."""
SETTLE_EVERY = 0.002


class KafkaPythonSender:
    """Sends with kafka-python; its own thread does the network.

    Args:
        connection: Where the broker is.
        watcher: Who is told.
        paced: Whether events have due times, or leave as fast as it goes.

    Raises:
        BrokerError: Nobody answers at the address.
    """

    name: ClassVar[str] = "kafka-python"
    portion: ClassVar[int] = 500

    def __init__(self, connection: Connection, watcher: DeliveryListener, *, paced: bool) -> None:
        self._watcher = watcher
        self._futures: dict[tuple[str, int], deque[tuple[Lane, deque[Any]]]] = {}
        self._failed: dict[tuple[str, int], Counter[str]] = {}
        self._on_the_way = 0
        self._published: deque[Any] = deque(maxlen=100)
        started = time.monotonic()
        try:
            self._producer = KafkaProducer(
                **{
                    "acks": "all",
                    "linger_ms": PACED_LINGER_MS if paced else BULK_LINGER_MS,
                    "batch_size": BATCH_BYTES,
                    "max_request_size": REQUEST_BYTES,
                    "bootstrap_timeout_ms": int(ANSWER_SECONDS * 1000),
                    "metrics_enabled": False,
                    **connection.for_kafka_python(),
                }
            )
        except KafkaError as error:
            raise unreachable(connection, error, time.monotonic() - started) from error

    def send(self, lane: Lane) -> None:
        """Hand every record to the client."""
        send, topic, partition = self._producer.send, lane.topic, lane.partition
        columns = zip(lane.keys.to_pylist(), lane.values.to_pylist(), lane.at.tolist(), strict=True)
        try:
            futures = deque(send(topic, value, key, None, partition, at) for key, value, at in columns)
        except KafkaError as error:
            raise BrokerError(f"{topic}[{partition}]: {error}") from error
        self._on_the_way += len(futures)
        self._futures.setdefault((topic, partition), deque()).append((lane, futures))
        self._watcher.left(lane, time.monotonic())

    def publish(self, topic: str, key: bytes, value: bytes) -> None:
        """Hand one record to the client."""
        with contextlib.suppress(KafkaError):
            self._published.append(self._producer.send(topic, value, key))

    def room(self) -> bool:
        """Return whether fewer than ``ON_THE_WAY`` records are unacknowledged."""
        if self._on_the_way >= ON_THE_WAY:
            self._settle()
        return self._on_the_way < ON_THE_WAY

    def wait(self, seconds: float) -> None:
        """Sleep; the client has its own thread."""
        time.sleep(min(seconds, SETTLE_EVERY))
        self._settle()

    def close(self, seconds: float) -> None:
        """Flush and close; what is unacknowledged then has failed."""
        deadline = time.monotonic() + seconds
        with contextlib.suppress(KafkaError):
            self._producer.flush(timeout=seconds)
        while self._on_the_way and time.monotonic() < deadline:
            self.wait(SETTLE_EVERY)
        self._settle(give_up=True)
        self._producer.close(timeout=max(0.1, deadline - time.monotonic()))

    def _settle(self, *, give_up: bool = False) -> None:
        """Look at the futures from the oldest on; those of one partition are done in order."""
        now = time.monotonic()
        for place, waiting in self._futures.items():
            failed = self._failed.setdefault(place, Counter())
            while waiting:
                lane, futures = waiting[0]
                while futures and (futures[0].is_done or give_up):
                    future = futures.popleft()
                    self._on_the_way -= 1
                    if not future.is_done:
                        failed[UNACKNOWLEDGED] += 1
                    elif future.exception is not None:
                        failed[type(future.exception).__name__] += 1
                if futures:
                    break
                waiting.popleft()
                self._watcher.settled(lane, now, failed)
                failed = self._failed[place] = Counter()
