"""Senders by the name the command line knows them by; each library is imported when it is asked for."""

import importlib
from collections.abc import Callable

from producers.senders.protocol import DeliveryListener, Sender
from streams.errors import EnvironmentMissingError
from streams.kafka.connection import Connection

_CLASSES = {
    "kafka-python": ("producers.senders.kafka_python", "KafkaPythonSender"),
    "aiokafka": ("producers.senders.aio", "AiokafkaSender"),
}
CLIENTS = tuple(_CLASSES)


def sender_factory(client: str, connection: Connection, *, paced: bool) -> Callable[[DeliveryListener], Sender]:
    """Return a function that opens a sender for a watcher.

    Args:
        client: One of ``CLIENTS``.
        connection: Where the broker is.
        paced: Whether events have due times, or leave as fast as it goes.

    Raises:
        EnvironmentMissingError: There is no such client; the text lists those there are.
    """
    if client not in _CLASSES:
        raise EnvironmentMissingError(f"unknown client {client!r}; known: {', '.join(CLIENTS)}")
    module, name = _CLASSES[client]
    make = getattr(importlib.import_module(module), name)

    def open_sender(watcher: DeliveryListener) -> Sender:
        sender: Sender = make(connection, watcher, paced=paced)
        return sender

    return open_sender
