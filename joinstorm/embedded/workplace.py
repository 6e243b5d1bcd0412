"""The broker and the folder a command works with: the given ones, or temporary ones that it removes afterwards."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from joinstorm.embedded.broker import EmbeddedBroker
from joinstorm.embedded.settings import STEADY
from streams.kafka.connection import Connection
from streams.system.scratch import scratch


@contextlib.contextmanager
def broker_for(connection: Connection | None) -> Iterator[Connection]:
    """Yield the given broker, or an embedded one that ends with the block."""
    if connection is not None:
        yield connection
        return
    with EmbeddedBroker(settings=STEADY) as broker:
        yield broker.connection


@contextlib.contextmanager
def folder_for(out: Path | None) -> Iterator[Path]:
    """Yield the given folder, created if missing, or a temporary one that is removed after the block."""
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        yield out
        return
    with scratch("work") as made:
        yield made
