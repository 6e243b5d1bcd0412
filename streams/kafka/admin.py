"""Asks a broker for its attention: an admin client, or a clear error within seconds."""

import asyncio
import ssl
import time

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError as AiokafkaError
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from streams.errors import AwayError, BrokerError
from streams.kafka.connection import Connection

ANSWER_SECONDS = 10.0
"""How long a broker may take to answer at all."""
PROBE_SECONDS = 3.0


def open_admin(connection: Connection, *, seconds: float = ANSWER_SECONDS) -> KafkaAdminClient:
    """Return a kafka-python admin client of a broker that answers; the caller closes it.

    Raises:
        BrokerError: Nobody answered within ``seconds``, or let us in; the text names the address and the reason.
    """
    started = time.monotonic()
    try:
        return KafkaAdminClient(**connection.for_kafka_python(), bootstrap_timeout_ms=int(seconds * 1000))
    except KafkaError as error:
        raise unreachable(connection, error, time.monotonic() - started) from error


def unreachable(connection: Connection, error: Exception, seconds: float) -> BrokerError:
    """Return what to tell the user when a client could not be opened.

    The client libraries try for as long as they may and then say that they could not; why, they only log. So one
    more connection is made, whose own error is told.
    """
    return asyncio.run(why_unreachable(connection, error, seconds))


async def why_unreachable(connection: Connection, error: Exception, seconds: float) -> BrokerError:
    """Return the same inside an event loop."""
    found = await _reason(connection) or error
    kind = AwayError if isinstance(found, OSError) and not isinstance(found, ssl.SSLError) else BrokerError
    reason = str(found) or type(found).__name__
    return kind(f"no Kafka answers at {connection.bootstrap_servers} ({seconds:.0f} s): {reason}")


async def _reason(connection: Connection) -> Exception | None:
    """Return what the first server that can be asked has against us, nothing if it is fine now."""
    told = {name: value for name, value in connection.security.for_python().items() if not name.endswith("_ms")}
    for server in connection.servers():
        host, _, port = server.rpartition(":")
        try:
            opened = await asyncio.wait_for(create_conn(host, int(port), **told), PROBE_SECONDS)
        except (OSError, AiokafkaError, TimeoutError) as error:
            return error
        opened.close()
    return None
