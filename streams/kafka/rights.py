"""Asks a broker before the work begins whether a run's topics are as they must be, and whether we may use them.

Clients find out later, one topic at a time, and some wait for ever for what they are not allowed to see.
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
from streams.errors import BrokerError, ContractError, RefusedError
from streams.kafka.admin import ANSWER_SECONDS, open_admin
from streams.kafka.connection import Connection

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
"""What every engine does with the topics of its run, by base name."""
_NOT_ALLOWED: Final = 29
_AGAIN_SECONDS: Final = 0.2


def check(
    connection: Connection, info: RunInfo, needs: Mapping[str, tuple[str, ...]], group: str | None = None
) -> None:
    """Make sure that the topics of a run are there, have their partitions, and may be used.

    Args:
        connection: Where the broker is, and as whom we log in.
        info: The run.
        needs: Operations by the base names of topics.
        group: A consumer group that will be joined.

    Raises:
        BrokerError: Nobody answers.
        ContractError: A topic is missing or has another partition count; the text says which.
        RefusedError: Something is not allowed; the text has all of it, by topic.
    """
    with contextlib.closing(open_admin(connection)) as admin:
        try:
            found = _describe(admin, [info.topics[base] for base in needs])
        except KafkaError as error:
            raise BrokerError(f"{connection.bootstrap_servers}: cannot ask for the run's topics: {error}") from error
        lacking = [*_lacking(found, info, needs), *_lacking_group(admin, group)]
    if lacking:
        raise RefusedError(connection.who(), connection.bootstrap_servers, lacking)
    for base in needs:
        _compare(info, base, found[info.topics[base]])


def _describe(admin: KafkaAdminClient, names: Sequence[str]) -> dict[str, Any]:
    """Return the topics by name; a broker that has just started may not know them at once."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        found = {topic["name"]: topic for topic in admin.describe_topics(list(names))}
        if all(topic["error_code"] in {0, _NOT_ALLOWED} for topic in found.values()) or time.monotonic() > deadline:
            return found
        time.sleep(_AGAIN_SECONDS)


def _lacking(found: Mapping[str, Any], info: RunInfo, needs: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for base, operations in needs.items():
        name = info.topics[base]
        if found[name]["error_code"] == _NOT_ALLOWED:
            yield from (f"{operation} on topic {name}" for operation in operations)
            continue
        allowed = found[name]["authorized_operations"]  # None where the broker does not say
        yield from (f"{one} on topic {name}" for one in operations if allowed is not None and one not in allowed)


def _lacking_group(admin: KafkaAdminClient, group: str | None) -> Iterator[str]:
    if group is None:
        return
    try:
        admin.describe_groups([group])
    except GroupAuthorizationFailedError:
        yield f"{READ} on group {group}"
    except KafkaError:  # groups may not be ready yet on a young broker; the client waits for them
        return


def _compare(info: RunInfo, base: str, topic: Mapping[str, Any]) -> None:
    if topic["error_code"]:
        raise ContractError(f"topic {topic['name']} of run {info.run} is missing")
    expected = {CHECKPOINTS: len(INPUTS) * info.partitions, **dict.fromkeys(INPUTS, info.partitions)}.get(base, 1)
    if len(topic["partitions"]) != expected:
        raise ContractError(
            f"topic {topic['name']} has {len(topic['partitions'])} partitions, expected {expected}: it was changed "
            f"after run {info.run} was opened; play the tape into a new run"
        )
