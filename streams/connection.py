"""How to reach Kafka, spelled once and translated for each client library."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT_BOOTSTRAP = "127.0.0.1:9092"


@dataclass(frozen=True)
class Connection:
    """Where the brokers are.

    Args:
        bootstrap_servers: ``host:port`` list, comma separated.
        options: Further client settings, named as kafka-python and aiokafka both name them.
    """

    bootstrap_servers: str = DEFAULT_BOOTSTRAP
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def servers(self) -> list[str]:
        """Return the bootstrap servers as a list."""
        return [part.strip() for part in self.bootstrap_servers.split(",") if part.strip()]

    def for_kafka_python(self) -> dict[str, Any]:
        """Return keyword arguments for any kafka-python client."""
        return {"bootstrap_servers": self.servers(), **self.options}

    def for_aiokafka(self) -> dict[str, Any]:
        """Return keyword arguments for any aiokafka client."""
        return {"bootstrap_servers": self.servers(), **self.options}
