"""Checks, before work begins, that a run's topics exist as expected and that the client may use them.

Client libraries find out later, topic by topic, and some wait forever for a topic they may not see.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from kafka import KafkaAdminClient
from kafka.errors import GroupAuthorizationFailedError, KafkaError

from streams.contract.runinfo import RunInfo
from streams.contract.topics import (
    CHECKPOINTS,
    DEAD_LETTERS,
    INPUTS,
    PRESENCE,
    RESULTS_AUDIENCE,
    RESULTS_PROGRESS,
    RESULTS_REACTION,
    TWEETS,
)
from streams.errors import ContractError, RefusedError
from streams.kafka.admin import ANSWER_SECONDS, failed, open_admin
from streams.kafka.connection import Connection
from streams.kafka.patience import patiently

READ: Final = "READ"
WRITE: Final = "WRITE"
WORKER_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    PRESENCE: (READ,),
    TWEETS: (READ,),
    RESULTS_AUDIENCE: (WRITE,),
    RESULTS_REACTION: (WRITE,),
    RESULTS_PROGRESS: (READ, WRITE),
    DEAD_LETTERS: (WRITE,),
}
"""The operations every engine needs, by base name of the topic."""
_NOT_ALLOWED: Final = 29
_RETRY_SECONDS: Final = 0.2


def check(
    connection: Connection, info: RunInfo, needs: Mapping[str, tuple[str, ...]], group: str | None = None
) -> None:
    """Check that the topics of a run exist, have the right number of partitions, and may be used.

    Args:
        connection: Where the broker is, and the client's credentials.
        info: The run.
        needs: Operations by base name of the topic.
        group: The consumer group to join, if any.

    Raises:
        BrokerError: No broker answers, for ``streams.kafka.patience.WAIT_SECONDS``.
        ContractError: A topic is missing or has another number of partitions; the text says which.
        RefusedError: Operations are denied; the text lists all of them, by topic.
    """
    patiently(lambda: _check(connection, info, needs, group))


def _check(connection: Connection, info: RunInfo, needs: Mapping[str, tuple[str, ...]], group: str | None) -> None:
    with contextlib.closing(open_admin(connection)) as admin:
        try:
            found = _describe(admin, [info.topics[base] for base in needs])
        except KafkaError as error:
            raise failed(connection, "cannot describe the run's topics", error) from error
        lacking = [*_lacking(found, info, needs), *_lacking_group(admin, group)]
    if lacking:
        raise RefusedError(connection.who(), connection.bootstrap_servers, lacking)
    for base in needs:
        _compare(info, base, found[info.topics[base]])


def _describe(admin: KafkaAdminClient, names: Sequence[str]) -> dict[str, Any]:
    """Return the topics by name; a broker that has just started may not know them yet."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        found = {topic["name"]: topic for topic in admin.describe_topics(list(names))}
        if all(topic["error_code"] in {0, _NOT_ALLOWED} for topic in found.values()) or time.monotonic() > deadline:
            return found
        time.sleep(_RETRY_SECONDS)


def _lacking(found: Mapping[str, Any], info: RunInfo, needs: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for base, operations in needs.items():
        name = info.topics[base]
        if found[name]["error_code"] == _NOT_ALLOWED:
            yield from (f"{operation} on topic {name}" for operation in operations)
            continue
        allowed = found[name]["authorized_operations"]  # None if the broker does not report them
        yield from (f"{one} on topic {name}" for one in operations if allowed is not None and one not in allowed)


def _lacking_group(admin: KafkaAdminClient, group: str | None) -> Iterator[str]:
    if group is None:
        return
    try:
        admin.describe_groups([group])
    except GroupAuthorizationFailedError:
        yield f"{READ} on group {group}"
    except KafkaError:  # a broker that has just started may not have groups ready yet; the client waits for them
        return


def _compare(info: RunInfo, base: str, topic: Mapping[str, Any]) -> None:
    if topic["error_code"]:
        raise ContractError(f"topic {topic['name']} of run {info.run} is missing")
    expected = {CHECKPOINTS: len(INPUTS) * info.partitions, **dict.fromkeys(INPUTS, info.partitions)}.get(base, 1)
    if len(topic["partitions"]) != expected:
        raise ContractError(
            f"topic {topic['name']} has {len(topic['partitions'])} partitions, expected {expected}: it was changed "
            f"after run {info.run} was opened; replay the tape into a new run"
        )
