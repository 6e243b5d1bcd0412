"""Deletes the events of runs that nobody plays any more, so that a replay in a loop does not fill the disk.

What is deleted are the topics that belong to one run alone; ``run.info``, ``run.status`` and the results stay.
"""

import contextlib
from collections.abc import Sequence

from kafka.errors import KafkaError

from streams.admin import open_admin
from streams.connection import Connection
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
    own = {name for info in runs[:-keep] for name in info.topics.values() if name.endswith(f".{info.run}")}
    if not own:
        return []
    with contextlib.closing(open_admin(connection)) as admin:
        try:
            there = sorted(own & set(admin.list_topics()))
            if there:
                admin.delete_topics(there)
        except KafkaError as error:
            raise BrokerError(
                f"{connection.bootstrap_servers}: cannot delete the topics of old runs: {error}"
            ) from error
    return there
