"""Deletes old runs, so that a replay in a loop does not fill the disk.

The topics of one run are deleted, those that an engine made for itself included. Its records on the topics of all runs
get tombstones, except on ``dead-letters``, which is kept for inspection.
"""

import contextlib
import re
from collections.abc import Callable, Sequence
from typing import Final

from kafka.errors import KafkaError

from joinstorm.follow.tombstones import bury
from streams.contract.runinfo import RunInfo
from streams.contract.topics import RESULTS_AUDIENCE, RESULTS_PROGRESS, RESULTS_REACTION, RUN_INFO, RUN_STATUS
from streams.engines import registry
from streams.errors import BrokerError
from streams.kafka.admin import open_admin
from streams.kafka.connection import Connection

_KEYED: Final = (RESULTS_AUDIENCE, RESULTS_REACTION, RESULTS_PROGRESS, RUN_STATUS, RUN_INFO)
"""In the order of deletion: as long as a ``run.info`` remains, there may be more to delete."""

KAFKA_STREAMS: Final = ("-changelog", "-repartition")
"""Endings of the topics that a Kafka Streams application makes for itself, whatever its name."""


def forget(connection: Connection, runs: Sequence[RunInfo], keep: int) -> list[str]:
    """Delete the topics of all but the newest runs, and their records on the topics of all runs.

    Args:
        connection: Where the broker is.
        runs: All runs, the newest last.
        keep: How many of the newest runs to keep.

    Returns:
        The topics that were deleted.

    Raises:
        BrokerError: No broker answers, or it refuses.
    """
    old = runs[:-keep]
    own = {name for info in old for name in info.topics.values() if name.endswith(f".{info.run}")}
    deleted = _delete(connection, lambda name: name in own or owner(name, runs) in old) if own else []
    if old:
        bury(connection, [info.topics[base] for base in _KEYED for info in old], {info.run for info in old})
    return deleted


def forget_prefix(connection: Connection, prefix: str) -> list[str]:
    """Delete every topic with a prefix of our own; returns them, raises like ``forget``."""
    return _delete(connection, lambda name: name.startswith(prefix)) if prefix else []


def _delete(connection: Connection, chosen: Callable[[str], bool]) -> list[str]:
    with contextlib.closing(open_admin(connection)) as admin:
        try:
            found = sorted(filter(chosen, admin.list_topics()))
            if found:
                admin.delete_topics(found)
        except KafkaError as error:
            raise BrokerError(
                f"{connection.bootstrap_servers}: cannot delete the topics of old runs: {error}"
            ) from error
    return found


def owner(topic: str, runs: Sequence[RunInfo]) -> RunInfo | None:
    """Return the run for which an engine made this topic; None if it is no such topic.

    Changelogs and intermediate topics have the run's prefix and id in their names, and an engine's name or an ending of
    Kafka Streams. Where one id is the beginning of another, the longer one counts.
    """
    if not (topic.endswith(KAFKA_STREAMS) or any(engine in topic for engine in registry.names())):
        return None
    named = (
        info for info in runs if info.prefix in topic and re.search(rf"(?<![a-z0-9]){info.run}(?![a-z0-9])", topic)
    )
    return max(named, key=lambda info: len(info.run), default=None)
