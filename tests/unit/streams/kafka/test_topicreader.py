"""Reading topics to their end, with a consumer that needs no broker."""

import asyncio
from collections import defaultdict
from typing import Any, ClassVar

import pytest
from aiokafka import TopicPartition
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataResponse_v0

from streams.errors import AwayError, BrokerError
from streams.kafka import topicreader as module
from streams.kafka.connection import Connection
from streams.kafka.topicreader import read_all, read_topics

NOWHERE = Connection("127.0.0.1:1")
A0, A1, B0 = TopicPartition("a", 0), TopicPartition("a", 1), TopicPartition("b", 0)


class Consumer:
    """A consumer of records in memory, two at a time."""

    held: ClassVar[dict[TopicPartition, list[str]]] = {}
    silent = False
    stopped = 0

    def __init__(self, **_: object) -> None:
        self._client = self
        self.places: set[TopicPartition] = set()
        self.read: dict[TopicPartition, int] = defaultdict(int)

    async def start(self) -> None:
        """Do nothing."""

    async def stop(self) -> None:
        """Count."""
        Consumer.stopped += 1

    async def fetch_all_metadata(self) -> ClusterMetadata:
        """Return what exists, as one broker answers."""
        topics = [
            (0, topic, [(0, place.partition, 1, [1], [1]) for place in self.held if place.topic == topic])
            for topic in {place.topic for place in self.held}
        ]
        cluster = ClusterMetadata()
        cluster.update_metadata(MetadataResponse_v0([(1, "127.0.0.1", 1)], topics))
        return cluster

    def assign(self, places: list[TopicPartition]) -> None:
        """Assign these partitions."""
        self.places = set(places)

    def assignment(self) -> set[TopicPartition]:
        """Return the assigned partitions."""
        return self.places

    async def end_offsets(self, places: set[TopicPartition]) -> dict[TopicPartition, int]:
        """Return where the partitions end."""
        return {place: len(self.held[place]) for place in places}

    async def position(self, place: TopicPartition) -> int:
        """Return the next offset."""
        return self.read[place]

    async def getmany(self, timeout_ms: int) -> dict[TopicPartition, list[str]]:  # noqa: ARG002 - aiokafka's name
        """Return the next two records of each partition."""
        await asyncio.sleep(0)
        if self.silent:
            return {}
        found: dict[TopicPartition, list[str]] = {}
        for place in self.places:
            if batch := self.held[place][self.read[place] : self.read[place] + 2]:
                found[place] = batch
                self.read[place] += len(batch)
        return found


@pytest.fixture(autouse=True)
def consumer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the client library's consumer."""
    monkeypatch.setattr(module, "AIOKafkaConsumer", Consumer)
    monkeypatch.setattr(Consumer, "held", {A0: ["1", "2", "3"], A1: [], B0: ["4"]})
    monkeypatch.setattr(Consumer, "silent", False)
    monkeypatch.setattr(Consumer, "stopped", 0)


def test_every_record_is_returned() -> None:
    """All partitions of all topics, each in the order of its offsets; the consumer is stopped."""
    found: Any = read_all(NOWHERE, "a", "b")
    assert sorted(found) == ["1", "2", "3", "4"]
    assert [one for one in found if one != "4"] == ["1", "2", "3"]
    assert Consumer.stopped == 1


def test_only_the_requested_partitions_are_read() -> None:
    """Numbers of partitions limit what is read; batches arrive with their partition."""
    batches: list[tuple[TopicPartition, Any]] = []
    asyncio.run(read_topics(NOWHERE, ["a"], lambda *batch: batches.append(batch), partitions=[0]))
    assert batches == [(A0, ["1", "2"]), (A0, ["3"])]


def test_a_missing_topic_is_an_error_unless_it_may_be_skipped() -> None:
    """The error names the topic; the other topics are read if missing ones may be skipped."""
    with pytest.raises(BrokerError, match=r"127\.0\.0\.1:1: there is no topic c"):
        read_all(NOWHERE, "b", "c")
    found: list[Any] = []
    asyncio.run(read_topics(NOWHERE, ["c", "b"], lambda _, batch: found.extend(batch), skip_missing=True))
    assert found == ["4"]
    asyncio.run(read_topics(NOWHERE, ["c"], lambda *_: found.clear(), skip_missing=True))
    assert found == ["4"]


def test_a_stalled_topic_is_an_error() -> None:
    """If no record arrives in time, the error names the topic; the consumer is stopped."""
    Consumer.silent = True
    with pytest.raises(BrokerError, match=r"cannot read a: .*no record for 0 s"):
        asyncio.run(read_topics(NOWHERE, ["a"], lambda *_: None, still_seconds=0))
    assert Consumer.stopped == 1


def test_a_broker_that_leaves_before_the_topics_are_known_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Aiokafka's error for it has no class of its own; it may pass, so a retry may help."""

    async def no_answer(_: object) -> ClusterMetadata:
        raise KafkaError("Unable to get cluster metadata over all known brokers")

    monkeypatch.setattr(Consumer, "fetch_all_metadata", no_answer)
    with pytest.raises(AwayError, match=r"127\.0\.0\.1:1: cannot read a: .*Unable to get cluster metadata"):
        read_all(NOWHERE, "a")
    assert Consumer.stopped == 1
