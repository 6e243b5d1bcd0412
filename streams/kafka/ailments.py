"""Finds out why nothing moves any more: topics that are gone, and brokers whose disks are full or broken."""

import contextlib
from collections.abc import Collection, Iterator
from typing import Any, Final

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from streams.errors import BrokerError
from streams.kafka.admin import open_admin
from streams.kafka.connection import Connection

LEAST_BYTES: Final = 64 << 20
"""A log folder with less room than this counts as full."""


def ailments(connection: Connection, topics: Collection[str]) -> list[str]:
    """Return what is wrong with a cluster, each as a clause that can follow a colon; empty if nothing is found.

    Args:
        connection: Where the broker is.
        topics: The topics that must exist.
    """
    try:
        with contextlib.closing(open_admin(connection)) as admin:
            return [*_gone(admin, topics), *_full(admin)]
    except (BrokerError, KafkaError) as error:
        return [str(error)]


def _gone(admin: KafkaAdminClient, topics: Collection[str]) -> Iterator[str]:
    if gone := sorted(set(topics) - set(admin.list_topics())):
        yield f"topics {', '.join(gone)} are gone: they were deleted during the run"


def _full(admin: KafkaAdminClient) -> Iterator[str]:
    """Yield the log folders that are offline or full; without the right to look, none."""
    found: list[dict[str, Any]] = []
    with contextlib.suppress(KafkaError):
        found = admin.describe_log_dirs()
    for broker in found:
        for folder in broker["log_dirs"]:
            where = f"the log folder {folder['log_dir']} of broker {broker['broker']}"
            if folder["error_code"]:
                yield f"{where} is offline: its disk is full or broken (the broker's log has the reason)"
            elif 0 <= folder.get("usable_bytes", -1) < LEAST_BYTES:
                yield f"{where} is full: {folder['usable_bytes'] >> 20} MB are left"
