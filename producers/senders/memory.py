"""A sender that keeps its records: for tests and for reading a tape without Kafka."""

import time
from collections.abc import Callable, Iterable
from typing import ClassVar

from producers.compose.lanes import Lane
from producers.senders.protocol import DeliveryListener


class ListSender:
    """Keeps every record as ``(at, key, value)`` by (topic, partition); everything is acknowledged at once.

    Args:
        listener: Receives the deliveries.
        clock: Monotonic seconds.
        sleep: What ``wait`` does with its seconds.
    """

    name: ClassVar[str] = "list"
    portion: ClassVar[int] = 1000

    def __init__(
        self,
        listener: DeliveryListener,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.records: dict[tuple[str, int], list[tuple[int, bytes | None, bytes]]] = {}
        self.published: list[tuple[str, bytes, bytes]] = []
        self._listener = listener
        self._clock = clock
        self._sleep = sleep

    def send(self, lane: Lane) -> None:
        """Keep the records."""
        columns = zip(lane.at.tolist(), lane.keys.to_pylist(), lane.values.to_pylist(), strict=True)
        self.records.setdefault((lane.topic, lane.partition), []).extend(columns)
        now = self._clock()
        self._listener.left(lane, now)
        self._listener.settled(lane, now, {})

    def find(self, topics: Iterable[str]) -> None:
        """Do nothing: every topic is here."""

    def publish(self, topic: str, key: bytes, value: bytes) -> None:
        """Keep the record."""
        self.published.append((topic, key, value))

    def room(self) -> bool:
        """Return True."""
        return True

    def wait(self, seconds: float) -> None:
        """Sleep."""
        self._sleep(seconds)

    def close(self, seconds: float) -> None:
        """Do nothing: everything is acknowledged."""
