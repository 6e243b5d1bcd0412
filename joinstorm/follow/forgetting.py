"""Forgets runs that nobody plays any more, so that a replay in a loop does not fill the disk.

The topics that belong to one run alone are deleted, those that an engine made for itself included; what stands of it in
the topics of all runs is marked as deleted, but for ``dead-letters``, which is kept for whoever looks into it.
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
"""In the order in which they are forgotten: as long as there is a ``run.info``, there may be more to forget."""

KAFKA_STREAMS: Final = ("-changelog", "-repartition")
"""How the topics end that a Kafka Streams application makes for itself, under whatever name it runs."""


def forget(connection: Connection, runs: Sequence[RunInfo], keep: int) -> list[str]:
    """Delete the own topics of all runs but the newest ones, and what stands of them in the topics of all.

    Args:
        connection: Where the broker is.
        runs: All runs, the newest one last.
        keep: How many of the newest keep their events.

    Returns:
        The topics that were deleted.

    Raises:
        BrokerError: Nobody answers, or the broker refuses.
    """
    old = runs[:-keep]
    own = {name for info in old for name in info.topics.values() if name.endswith(f".{info.run}")}
    gone = _delete(connection, lambda name: name in own or owner(name, runs) in old) if own else []
    if old:
        bury(connection, [info.topics[base] for base in _KEYED for info in old], {info.run for info in old})
    return gone


def forget_prefix(connection: Connection, prefix: str) -> list[str]:
    """Delete every topic below a prefix that nobody else uses; returns them, raises like ``forget``."""
    return _delete(connection, lambda name: name.startswith(prefix)) if prefix else []


def _delete(connection: Connection, chosen: Callable[[str], bool]) -> list[str]:
    with contextlib.closing(open_admin(connection)) as admin:
        try:
            there = sorted(filter(chosen, admin.list_topics()))
            if there:
                admin.delete_topics(there)
        except KafkaError as error:
            raise BrokerError(
                f"{connection.bootstrap_servers}: cannot delete the topics of old runs: {error}"
            ) from error
    return there


def owner(topic: str, runs: Sequence[RunInfo]) -> RunInfo | None:
    """Return the run for which an engine made a topic of its own, None where it is no such topic.

    Such a topic has the run's prefix and its id in its name, and an engine's name or an ending of Kafka Streams:
    changelogs, topics in between. Where one id begins like another, the longer one counts.
    """
    if not (topic.endswith(KAFKA_STREAMS) or any(engine in topic for engine in registry.names())):
        return None
    named = (one for one in runs if one.prefix in topic and re.search(rf"(?<![a-z0-9]){one.run}(?![a-z0-9])", topic))
    return max(named, key=lambda one: len(one.run), default=None)
