"""Deletes the events of runs that nobody plays any more, so that a replay in a loop does not fill the disk.

What is deleted are the topics that belong to one run alone, those that an engine made for itself included;
``run.info``, ``run.status`` and the results stay.
"""

import contextlib
import re
from collections.abc import Sequence

from kafka.errors import KafkaError

from streams.admin import open_admin
from streams.connection import Connection
from streams.engines import registry
from streams.errors import BrokerError
from streams.runinfo import RunInfo


def forget(connection: Connection, runs: Sequence[RunInfo], keep: int) -> list[str]:
    """Delete the own topics of all runs but the newest ones.

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
    if not own:
        return []
    with contextlib.closing(open_admin(connection)) as admin:
        try:
            there = sorted(name for name in admin.list_topics() if name in own or owner(name, runs) in old)
            if there:
                admin.delete_topics(there)
        except KafkaError as error:
            raise BrokerError(
                f"{connection.bootstrap_servers}: cannot delete the topics of old runs: {error}"
            ) from error
    return there


def owner(topic: str, runs: Sequence[RunInfo]) -> RunInfo | None:
    """Return the run for which an engine made a topic of its own, None where it is no such topic.

    Such a topic has the run's prefix, its id and an engine's name in it: changelogs, topics in between. Where one id
    begins like another, the longer one counts.
    """
    if not any(engine in topic for engine in registry.names()):
        return None
    named = (one for one in runs if one.prefix in topic and re.search(rf"(?<![a-z0-9]){one.run}(?![a-z0-9])", topic))
    return max(named, key=lambda one: len(one.run), default=None)
