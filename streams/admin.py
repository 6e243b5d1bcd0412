"""Asks a broker for its attention: an admin client, or a clear error within seconds."""

import time

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from streams.connection import Connection
from streams.errors import BrokerError

ANSWER_SECONDS = 10.0
"""How long a broker may take to answer at all."""


def open_admin(connection: Connection, *, seconds: float = ANSWER_SECONDS) -> KafkaAdminClient:
    """Return a kafka-python admin client of a broker that answers; the caller closes it.

    Raises:
        BrokerError: Nobody answered within ``seconds``; the text names the address.
    """
    started = time.monotonic()
    try:
        return KafkaAdminClient(
            **connection.for_kafka_python(),
            bootstrap_timeout_ms=int(seconds * 1000),
            request_timeout_ms=30_000,
        )
    except KafkaError as error:
        took = time.monotonic() - started
        raise BrokerError(f"no Kafka answers at {connection.bootstrap_servers} ({took:.0f} s): {error}") from error
