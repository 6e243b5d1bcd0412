"""Polls the broker's health every two seconds: whether and how fast it answers, and the state of the run's topics.

It polls in a background thread, so a broker that is slow, stopped or gone delays neither the reader nor a scrape.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError

from streams.errors import BrokerError
from streams.exporter.brokerhealth import BrokerHealth
from streams.kafka.admin import open_admin
from streams.kafka.connection import Connection
from streams.system.threads import BackgroundThread

EVERY_SECONDS: Final = 2.0
CONNECT_SECONDS: Final = 2.0
SILENT_SECONDS: Final = 6.0
"""Age of the last answer after which the broker counts as down."""
STOP_SECONDS: Final = 5.0

TopicNames = Callable[[], Mapping[str, str]]
"""Returns the topics to inspect: base name to full name."""


class BrokerMonitor(BackgroundThread):
    """Context manager that polls the broker's health; ``health`` returns the last answer.

    Args:
        connection: Where the broker is.
        names: Returns the topics to inspect, possibly none; called for every poll.
        every: Seconds between two polls.
    """

    def __init__(self, connection: Connection, names: TopicNames = dict, *, every: float = EVERY_SECONDS) -> None:
        self._connection = connection
        self._names = names
        self._every = every
        self._answer: tuple[float, BrokerHealth] | None = None
        self._polled = False
        super().__init__("broker-monitor", self._poll, end_seconds=STOP_SECONDS)

    def health(self) -> BrokerHealth | None:
        """Return the broker's health; None until the first poll has succeeded or failed."""
        answer = self._answer
        if answer is not None and time.monotonic() - answer[0] <= SILENT_SECONDS:
            return answer[1]
        return BrokerHealth() if self._polled else None

    def _poll(self, over: threading.Event) -> None:
        while not over.is_set():
            with contextlib.suppress(KafkaError, BrokerError):  # retried on a new connection
                self._poll_on_one_connection(over)
            self._polled = True
            over.wait(self._every)

    def _poll_on_one_connection(self, over: threading.Event) -> None:
        with contextlib.closing(open_admin(self._connection, seconds=CONNECT_SECONDS)) as admin:
            while not over.is_set():
                health = measure_health(admin, self._names())
                self._answer = (time.monotonic(), health)
                over.wait(self._every)


def measure_health(admin: KafkaAdminClient, names: Mapping[str, str]) -> BrokerHealth:
    """Measure a broker's health; ``names`` are the topics to inspect, missing ones are skipped.

    Raises:
        KafkaError: The broker does not answer, or answers with an error.
    """
    bases = {name: base for base, name in names.items()}
    began = time.perf_counter()
    topics: list[dict[str, Any]] = admin.describe_topics(list(bases)) if bases else []
    if not bases:
        admin.describe_cluster()
    took = time.perf_counter() - began
    partitions = [(topic["name"], one) for topic in topics for one in topic["partitions"]]
    led = [TopicPartition(name, one["partition_index"]) for name, one in partitions if one["leader_id"] >= 0]
    first, last = (_offsets(admin, led, spec) for spec in (OffsetSpec.EARLIEST, OffsetSpec.LATEST))
    written: dict[str, int] = {}
    kept: dict[str, int] = {}
    for place in led:
        base = bases[place.topic]
        written[base] = written.get(base, 0) + last[place]
        kept[base] = kept.get(base, 0) + last[place] - first[place]
    return BrokerHealth(True, took, sum(_unhealthy(one) for _, one in partitions), written, kept)


def _unhealthy(partition: Mapping[str, Any]) -> bool:
    return partition["leader_id"] < 0 or len(partition["isr_nodes"]) < len(partition["replica_nodes"])


def _offsets(admin: KafkaAdminClient, places: list[TopicPartition], spec: OffsetSpec) -> dict[TopicPartition, int]:
    if not places:
        return {}
    return {place: found.offset for place, found in admin.list_partition_offsets(dict.fromkeys(places, spec)).items()}
