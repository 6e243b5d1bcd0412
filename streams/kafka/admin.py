"""Opens an admin client, or fails within seconds with a clear error."""

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
"""Time limit for a broker's first answer."""
PROBE_SECONDS = 3.0


def open_admin(connection: Connection, *, seconds: float = ANSWER_SECONDS) -> KafkaAdminClient:
    """Return a connected kafka-python admin client; the caller closes it.

    Raises:
        BrokerError: No broker answered within ``seconds``, or it refused; the text names the address and the reason.
    """
    started = time.monotonic()
    try:
        return KafkaAdminClient(**connection.for_kafka_python(), bootstrap_timeout_ms=int(seconds * 1000))
    except KafkaError as error:
        raise unreachable(connection, error, time.monotonic() - started) from error


def unreachable(connection: Connection, error: Exception, seconds: float) -> BrokerError:
    """Return the error for a client that could not be opened.

    The client libraries retry until time is up, then report only that they failed; the reason is just logged. So this
    makes one more connection and reports its error.
    """
    return asyncio.run(why_unreachable(connection, error, seconds))


def passes(error: BaseException) -> bool:
    """Whether an error of a client library or the system says that the broker is away, which may pass."""
    if isinstance(error, ssl.SSLError):
        return False
    return isinstance(error, OSError) or bool(getattr(error, "retriable", False))


def failed(connection: Connection, what: str, error: BaseException) -> BrokerError:
    """Return the error for something that did not work: AwayError where that may pass."""
    kind = AwayError if passes(error) else BrokerError
    return kind(f"{connection.bootstrap_servers}: {what}: {str(error) or type(error).__name__}")


async def why_unreachable(connection: Connection, error: Exception, seconds: float) -> BrokerError:
    """Return the error for a client that could not be opened, inside an event loop."""
    probed = await _reason(connection)
    found = probed or error
    kind = AwayError if probed is None or passes(probed) else BrokerError  # None: by now it is back
    reason = str(found) or type(found).__name__
    return kind(f"no Kafka answers at {connection.bootstrap_servers} ({seconds:.0f} s): {reason}")


async def _reason(connection: Connection) -> Exception | None:
    """Return the error of the first server that fails, None if all of them connect now."""
    options = {name: value for name, value in connection.security.for_python().items() if not name.endswith("_ms")}
    for server in connection.servers():
        host, _, port = server.rpartition(":")
        try:
            opened = await asyncio.wait_for(create_conn(host, int(port), **options), PROBE_SECONDS)
        except (OSError, AiokafkaError, TimeoutError) as error:
            return error
        opened.close()
    return None
