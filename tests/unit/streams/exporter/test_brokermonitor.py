"""The health of a broker, from its answers; a broker that is gone is reported as down."""

from typing import Any

import pytest
from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import NodeNotReadyError
from kafka.structs import OffsetAndTimestamp

from streams.contract.topics import PRESENCE, TWEETS
from streams.exporter import brokermonitor as module
from streams.exporter.brokerhealth import BrokerHealth
from streams.exporter.brokermonitor import BrokerMonitor, measure_health
from streams.kafka.connection import Connection
from tests.streaming import until

NAMES = {PRESENCE: f"{PRESENCE}.run-1", TWEETS: f"{TWEETS}.run-1"}
NOWHERE = Connection("127.0.0.1:9")


def partition(number: int, leader: int = 1, isr: tuple[int, ...] = (1, 2)) -> dict[str, Any]:
    """Return how a broker describes a partition with two replicas."""
    return {"partition_index": number, "leader_id": leader, "replica_nodes": [1, 2], "isr_nodes": list(isr)}


class Admin:
    """Stands for the admin client: partitions hold the offsets 10 times their number, to 100."""

    def __init__(self, topics: dict[str, list[dict[str, Any]]]) -> None:
        self.topics = topics
        self.gone = False
        self.asked = 0

    def describe_topics(self, names: list[str]) -> list[dict[str, Any]]:
        """Answer for the topics that are there, as a broker does for those that are not."""
        self.asked += 1
        if self.gone:
            raise NodeNotReadyError("gone")
        return [{"name": name, "partitions": self.topics.get(name, [])} for name in names]

    def describe_cluster(self) -> dict[str, Any]:
        """Answer at all."""
        self.asked += 1
        return {}

    def list_partition_offsets(self, specs: dict[TopicPartition, OffsetSpec]) -> dict[TopicPartition, Any]:
        """Say where partitions begin or end."""
        return {
            place: OffsetAndTimestamp(place.partition * 10 if spec is OffsetSpec.EARLIEST else 100, -1, None)
            for place, spec in specs.items()
        }

    def close(self) -> None:
        """End the connection."""


def test_topics_are_summed_over_their_partitions() -> None:
    """Written is the sum of the ends, kept the sum of the spans; a missing topic is skipped."""
    seen = measure_health(Admin({NAMES[PRESENCE]: [partition(0), partition(1)]}), NAMES)
    assert seen.up
    assert seen.response_seconds is not None
    assert (seen.written, seen.kept, seen.unhealthy) == ({PRESENCE: 200}, {PRESENCE: 190}, 0)


def test_partitions_in_trouble_are_counted() -> None:
    """One without a leader, one with a replica out of sync; the first has no offsets to request."""
    broken = [partition(0, leader=-1), partition(1, isr=(1,)), partition(2)]
    seen = measure_health(Admin({NAMES[TWEETS]: broken}), NAMES)
    assert (seen.unhealthy, seen.written) == (2, {TWEETS: 200})


def test_without_a_run_the_broker_is_polled_too() -> None:
    """There are no topics to report, only that the broker answers."""
    admin = Admin({})
    seen = measure_health(admin, {})
    assert admin.asked == 1
    assert (seen.up, seen.unhealthy, seen.written) == (True, 0, {})


def test_a_broker_that_stops_answering_is_down_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is up, then down, then up again, on a new connection."""
    admin = Admin({NAMES[PRESENCE]: [partition(0)]})
    monkeypatch.setattr(module, "open_admin", lambda *_, **__: admin)
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.2)
    with BrokerMonitor(NOWHERE, lambda: NAMES, every=0.01) as monitor:
        for gone in (False, True, False):
            admin.gone = gone
            until(lambda: (seen := monitor.health()) is not None and seen.up is not admin.gone, "the broker's state")


def test_health_is_unknown_before_the_first_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """A monitor that has not started has no health; an address without a broker is a broker that is down."""
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.1)
    monitor = BrokerMonitor(NOWHERE, every=0.01)
    assert monitor.health() is None
    with monitor:
        until(lambda: monitor.health() is not None, "an answer")
        assert monitor.health() == BrokerHealth()
