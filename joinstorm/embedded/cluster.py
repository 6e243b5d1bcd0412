"""A real Kafka cluster without Docker: KRaft nodes, each broker and controller in a process of its own."""

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from kafka.errors import KafkaError

from joinstorm.embedded.broker import HEAP, EmbeddedBroker
from joinstorm.embedded.freshports import start_on_fresh_ports
from joinstorm.embedded.settings import COPIES, among_others, members
from joinstorm.embedded.storage import new_id
from streams.errors import BrokerError
from streams.kafka.admin import open_admin
from streams.kafka.connection import Connection
from streams.system.ports import free_ports

SMALL_HEAP: Final = "-Xmx384m"
"""For one of several brokers on this machine."""


class EmbeddedCluster:
    """Context manager: inside, ``connection`` reaches the brokers; afterwards, they and their data are gone.

    One of them may be missing: the others elect leaders and a controller, and take what is acknowledged by all replicas
    in sync. Addresses and data of a broker survive its end.

    Args:
        count: Number of brokers.
        advertise: Called with the port of each broker; returns the port its clients are sent to, as that of a proxy. By
            default they are sent to the broker.
        environ: Where JAVA_HOME, PATH and JOINSTORM_CACHE_DIR are looked up; by default the process's environment.
        parent: Folder for the data folders; by default the system's temporary folder.

    Raises:
        EnvironmentMissingError: Java is missing, the jars cannot be fetched, or Kafka does not start.
    """

    def __init__(
        self,
        count: int = 1,
        advertise: Callable[[int], int] | None = None,
        environ: Mapping[str, str] | None = None,
        parent: Path | None = None,
    ) -> None:
        self._count = count
        self._advertise = advertise
        self._environ = os.environ if environ is None else environ
        self._parent = parent
        self.brokers: list[EmbeddedBroker] = []

    def __enter__(self) -> Self:
        start_on_fresh_ports(self._begin, self._port_was_taken, self.close)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if error is None:
            self.brokers[0].share_classes()

    @property
    def connection(self) -> Connection:
        """The brokers' addresses for clients."""
        return Connection(",".join(one.connection.bootstrap_servers for one in self.brokers))

    @property
    def inside(self) -> Connection:
        """The brokers' addresses for the program that started them: no proxy is in between."""
        return Connection(",".join(one.inside.bootstrap_servers for one in self.brokers))

    @property
    def copies(self) -> int:
        """Replicas each topic should have."""
        return min(COPIES, self._count)

    def alive(self) -> bool:
        """Whether enough brokers run for a controller to be elected."""
        return sum(one.alive() for one in self.brokers) > self._count / 2

    def start(self) -> None:
        """Start every broker that does not run."""
        for one in self.brokers:
            one.launch()
        for one in self.brokers:
            one.await_ready()

    def close(self) -> None:
        """End all of them and remove their data; a second call does nothing."""
        for one in self.brokers:
            one.close()

    def leader(self, topics: Collection[str]) -> int | None:
        """Return which broker leads most partitions of topics; None while none does."""
        leads = Counter(part["leader_id"] for topic in self._described(topics) for part in topic["partitions"])
        numbers = [number - 1 for number, _ in leads.most_common() if number > 0 and self.brokers[number - 1].alive()]
        return next(iter(numbers), None)

    def controller(self) -> int | None:
        """Return which node is the active controller; None while none is."""
        try:
            with contextlib.closing(open_admin(self.inside)) as admin:
                found = admin.describe_metadata_quorum()
        except (BrokerError, KafkaError):
            return None
        number = int(found["topics"][0]["partitions"][0]["leader_id"])
        return number - 1 if number > 0 else None

    def in_sync(self, topics: Collection[str]) -> bool:
        """Whether every replica of the topics has what its leader has."""
        described = self._described(topics)
        parts = [part for topic in described for part in topic["partitions"]]
        return bool(parts) and all(len(part["isr_nodes"]) == len(part["replica_nodes"]) for part in parts)

    def _described(self, topics: Collection[str]) -> list[dict[str, Any]]:
        try:
            with contextlib.closing(open_admin(self.inside)) as admin:
                found: list[dict[str, Any]] = admin.describe_topics(list(topics))
        except (BrokerError, KafkaError):
            return []
        return found

    def _port_was_taken(self) -> bool:
        return any(one.port_was_taken() for one in self.brokers)

    def _begin(self) -> None:
        ports = free_ports(4 * self._count)
        clients, own = ports[: self._count], ports[self._count :]
        advertise = self._advertise or (lambda port: port)
        cluster, settings = new_id(), among_others(self._count)
        heap = HEAP if self._count == 1 else SMALL_HEAP
        self.brokers = [
            EmbeddedBroker(self._environ, self._parent, settings=settings, member=(member, cluster), heap=heap)
            for member in members(clients, [advertise(port) for port in clients], own)
        ]
        for one in self.brokers:
            one.prepare()
            one.fill_folder()
        self.start()
