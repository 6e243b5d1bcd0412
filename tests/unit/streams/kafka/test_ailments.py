"""What is wrong with a cluster on which nothing moves: lost topics, full and broken disks, no broker."""

from typing import Any

import pytest
from kafka.errors import ClusterAuthorizationFailedError

from streams.errors import AwayError
from streams.kafka import ailments as module
from streams.kafka.ailments import LEAST_BYTES, ailments
from streams.kafka.connection import Connection

WHOLE = {"log_dir": "/d", "error_code": 0, "usable_bytes": LEAST_BYTES}


class Admin:
    """A cluster with the topic ``a`` and one log folder."""

    def __init__(self, folder: dict[str, Any] | Exception) -> None:
        self.folder = folder

    def list_topics(self) -> list[str]:
        """Return the names."""
        return ["a"]

    def describe_log_dirs(self) -> list[dict[str, Any]]:
        """Return the folder, as kafka-python does."""
        if isinstance(self.folder, Exception):
            raise self.folder
        return [{"broker": 1, "log_dirs": [self.folder]}]

    def close(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("folder", "topics", "found"),
    [
        (WHOLE, ["a"], []),
        ({**WHOLE, "usable_bytes": -1}, ["a"], []),
        (ClusterAuthorizationFailedError(), ["a"], []),
        (WHOLE, ["a", "c", "b"], ["topics b, c are gone: they were deleted during the run"]),
        ({**WHOLE, "usable_bytes": 3 << 20}, ["a"], ["the log folder /d of broker 1 is full: 3 MB are left"]),
        (
            {**WHOLE, "error_code": 56},
            ["a"],
            ["the log folder /d of broker 1 is offline: its disk is full or broken (the broker's log has the reason)"],
        ),
    ],
)
def test_each_is_named(
    folder: dict[str, Any] | Exception, topics: list[str], found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A healthy cluster has none; without the right to look at disks, and from old brokers, nothing is concluded."""
    monkeypatch.setattr(module, "open_admin", lambda _: Admin(folder))
    assert ailments(Connection("a:1"), topics) == found


def test_a_broker_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the address, as everywhere."""

    def nobody(_: Connection) -> Admin:
        raise AwayError("no Kafka answers at a:1")

    monkeypatch.setattr(module, "open_admin", nobody)
    assert ailments(Connection("a:1"), ["a"]) == ["no Kafka answers at a:1"]
