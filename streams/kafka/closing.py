"""The end of a kafka-python producer, whatever the broker does."""

import contextlib
import logging
from typing import Any, Final

from kafka.errors import KafkaError, KafkaTimeoutError

GIVEN_UP_SECONDS: Final = 1.0
"""How long a producer may take to give up what is not acknowledged."""
_log = logging.getLogger(__name__)


def close_producer(producer: Any, seconds: float) -> bool:
    """Close a ``KafkaProducer``, and return whether everything it was given is acknowledged.

    kafka-python 3 raises where it is not, and leaves its thread running; here that thread gives up and ends.

    Args:
        producer: The producer.
        seconds: How long to wait for acknowledgements.
    """
    try:
        producer.close(timeout=seconds)
    except KafkaTimeoutError:
        _log.warning("not everything was acknowledged within %.0f s", seconds)
        producer._sender.force_close()  # noqa: SLF001 - close() has no other way out
        with contextlib.suppress(KafkaError):
            producer.close(timeout=GIVEN_UP_SECONDS)
        return False
    return True
