"""Asks the broker every other second how it is: does it answer, how fast, are the run's topics whole and how long.

In a thread of its own, so that a broker that is slow, stopped or gone delays neither the reader nor a scrape.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError

from streams.errors import BrokerError
from streams.exporter.brokerhealth import BrokerHealth
from streams.kafka.admin import open_admin
from streams.kafka.connection import Connection

EVERY_SECONDS: Final = 2.0
CONNECT_SECONDS: Final = 2.0
SILENT_SECONDS: Final = 6.0
"""A broker whose last answer is older does not answer."""
STOP_SECONDS: Final = 5.0

Names = Callable[[], Mapping[str, str]]
"""Says which topics to look at: base name to full name."""


class BrokerMonitor:
    """Context manager: asks until it is left; ``look`` says what is known.

    Args:
        connection: Where the broker is.
        names: The topics to look at, asked anew each time; none is fine.
        every: Seconds between two questions.
    """

    def __init__(self, connection: Connection, names: Names = dict, *, every: float = EVERY_SECONDS) -> None:
        self._connection = connection
        self._names = names
        self._every = every
        self._answer: tuple[float, BrokerHealth] | None = None
        self._asked = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="broker-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    def look(self) -> BrokerHealth | None:
        """Return how the broker is; None before the first answer, or the first question without one."""
        answer = self._answer
        if answer is not None and time.monotonic() - answer[0] <= SILENT_SECONDS:
            return answer[1]
        return BrokerHealth() if self._asked else None

    def _work(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(KafkaError, BrokerError):  # asked again, on a new connection
                self._ask_on_one_connection()
            self._asked = True
            self._stopping.wait(self._every)

    def _ask_on_one_connection(self) -> None:
        with contextlib.closing(open_admin(self._connection, seconds=CONNECT_SECONDS)) as admin:
            while not self._stopping.is_set():
                view = ask(admin, self._names())
                self._answer = (time.monotonic(), view)
                self._stopping.wait(self._every)


def ask(admin: KafkaAdminClient, names: Mapping[str, str]) -> BrokerHealth:
    """Ask a broker how it is; ``names`` are the topics to look at, those that are not there are left out.

    Raises:
        KafkaError: It does not answer, or not so.
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
