"""The topics that a capture is played into: made where they are missing, refused where they do not fit."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from producers.capture.capturefile import Capture
from producers.replay.topiccreation import ensure_topics
from streams.contract.topics import TopicSpec
from streams.errors import UsageError
from streams.kafka.admin import failed, open_admin
from streams.kafka.connection import Connection
from streams.kafka.patience import patiently

KEEP: Final = "keep"
WRAP: Final = "wrap"
MAPS: Final = (KEEP, WRAP)
"""How partitions are mapped: each to the one of its number, or beyond the last one from the first one on again."""
_CONFIGS: Final = {"retention.ms": "-1"}
"""The records' times may lie years back."""


@dataclass(frozen=True)
class Target:
    """A topic that is played into."""

    partitions: int
    made: bool


def ready(
    connection: Connection, capture: Capture, topics: Mapping[str, str], partition_map: str, replication: int
) -> dict[str, Target]:
    """Return each target topic by its name; what is missing is made with as many partitions as were captured.

    Args:
        connection: Where the broker is.
        capture: The capture.
        topics: The target of each captured topic.
        partition_map: One of ``MAPS``.
        replication: Replicas of a topic that is made.

    Raises:
        BrokerError: The broker does not answer, or refuses.
        UsageError: A topic has fewer partitions than the captured one, and partitions are to be kept.
    """
    present = patiently(lambda: _present(connection, list(topics.values())))
    for name, target in topics.items():
        count = capture.topics[name]
        if partition_map == KEEP and present.get(target, count) < count:
            raise UsageError(
                f"{connection.bootstrap_servers}: topic {target} has {present[target]} partitions and {name} of the "
                f"capture has {count}: choose another topic, or --partition-map {WRAP}"
            )
    missing = {target: capture.topics[name] for name, target in topics.items() if target not in present}
    specs = [TopicSpec(target, count, _CONFIGS) for target, count in missing.items()]
    ensure_topics(connection, specs, [], replication)
    return {
        target: Target(present.get(target, capture.topics[name]), made=target in missing)
        for name, target in topics.items()
    }


def _present(connection: Connection, topics: list[str]) -> dict[str, int]:
    """Return the number of partitions of those topics that there are."""
    with contextlib.closing(open_admin(connection)) as admin:
        return _counted(connection, admin, topics)


def _counted(connection: Connection, admin: KafkaAdminClient, topics: list[str]) -> dict[str, int]:
    try:
        there = sorted(set(topics) & set(admin.list_topics()))
        found = admin.describe_topics(there) if there else []
    except KafkaError as error:
        raise failed(connection, f"cannot look up {', '.join(topics)}", error) from error
    return {topic["name"]: len(topic["partitions"]) for topic in found}
