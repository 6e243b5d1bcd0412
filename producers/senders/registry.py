"""Senders by their name on the command line; a library is imported when its sender is opened."""

import importlib
from collections.abc import Callable

from producers.senders.protocol import DeliveryListener, Sender
from streams.errors import UsageError
from streams.kafka.connection import Connection
from streams.kafka.patience import patiently
from streams.suggest import unknown

_OPENERS = {
    "kafka-python": ("producers.senders.kafka_python", "open_sender"),
    "aiokafka": ("producers.senders.aio", "AiokafkaSender"),
}
CLIENTS = tuple(_OPENERS)


def sender_factory(client: str, connection: Connection, *, paced: bool) -> Callable[[DeliveryListener], Sender]:
    """Return a function that opens a sender for a delivery listener.

    Args:
        client: One of ``CLIENTS``.
        connection: Where the broker is.
        paced: Whether events have due times, or leave as fast as possible.

    Raises:
        UsageError: There is no such client; the text lists the known ones.
    """
    if client not in _OPENERS:
        raise UsageError(unknown("client", client, CLIENTS))
    module, name = _OPENERS[client]
    opener = getattr(importlib.import_module(module), name)

    def open_sender(listener: DeliveryListener) -> Sender:
        sender: Sender = patiently(lambda: opener(connection, listener, paced=paced))
        return sender

    return open_sender
