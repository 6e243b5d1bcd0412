"""The reader's own work, without a broker."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from streams.contract.topics import RESULTS_AUDIENCE, RESULTS_PROGRESS, RESULTS_REACTION
from streams.errors import AwayError, BrokerError
from streams.kafka.connection import Connection
from streams.read import reader as module
from streams.read.follower import TOPICS
from streams.read.reader import SLICE, ResultReader
from streams.read.runview import RunView

SLICES = 100


class Slow:
    """A follower that records its batches and releases a waiting caller with the first of them."""

    def __init__(self, begun: threading.Event) -> None:
        self.batches: list[tuple[str, int]] = []
        self.begun = begun

    def accept(self, topic: str, partition: TopicPartition, records: Sequence[object]) -> None:
        """Record the size of the batch."""
        assert topic == partition.topic
        self.batches.append((topic, len(records)))
        self.begun.set()

    def take_rewind(self) -> dict[TopicPartition, int]:
        """Return nothing to read again."""
        return {}

    @property
    def state(self) -> None:
        """Return no run."""
        return None

    def view(self) -> RunView:
        """Return the number of records so far."""
        return RunView(records={"accepted": sum(count for _, count in self.batches)})


def test_a_scrape_does_not_wait_for_a_long_batch() -> None:
    """A caller that comes during a batch is answered in the middle of it; progress comes last, and complete."""
    begun = threading.Event()
    reader = ResultReader(Connection("127.0.0.1:1"))
    follower: Any = Slow(begun)
    reader._follower = follower
    seen: list[int] = []

    def ask() -> None:
        begun.wait(10)
        seen.append(reader.snapshot().records["accepted"])

    asking = threading.Thread(target=ask)
    asking.start()
    batches: Any = {
        TopicPartition(RESULTS_PROGRESS, 0): [None] * 3,
        TopicPartition(RESULTS_AUDIENCE, 0): [None] * (SLICES * SLICE + 1),
    }
    asyncio.run(reader._accept(batches))
    asking.join()
    assert 0 < seen[0] < SLICES * SLICE
    assert follower.batches[-1] == (RESULTS_PROGRESS, 3)
    assert follower.view().records["accepted"] == SLICES * SLICE + 4


class Scripted:
    """A client that returns batches in turn, then stops the reader; positions follow what it has returned."""

    def __init__(self, reader: ResultReader, batches: Sequence[dict[TopicPartition, int]]) -> None:
        self.reader = reader
        self.batches = list(batches)
        self.positions = {TopicPartition(topic, 0): 0 for topic in TOPICS}
        self.ends = dict(self.positions)
        for batch in batches:
            for partition, count in batch.items():
                self.ends[partition] += count

    async def getmany(self, **_: object) -> dict[TopicPartition, list[None]]:
        """Return the next batch."""
        if not self.batches:
            self.reader._stopping.set()
            return {}
        batch = self.batches.pop(0)
        for partition, count in batch.items():
            self.positions[partition] += count
        return {partition: [None] * count for partition, count in batch.items()}

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the ends: everything has been written already."""
        return {partition: self.ends[partition] for partition in partitions}

    async def position(self, partition: TopicPartition) -> int:
        """Return how far a partition has been read."""
        return self.positions[partition]

    def assignment(self) -> set[TopicPartition]:
        """Return all partitions."""
        return set(self.positions)

    def paused(self) -> set[TopicPartition]:
        """Return none."""
        return set()


def test_progress_waits_for_the_results_it_covers() -> None:
    """Progress that is fetched before results written earlier is shown after them: no engine looks wrong meanwhile."""
    reader = ResultReader(Connection("127.0.0.1:1"))
    follower: Any = Slow(threading.Event())
    reader._follower = follower
    audience, reaction, progress = (
        TopicPartition(topic, 0) for topic in (RESULTS_AUDIENCE, RESULTS_REACTION, RESULTS_PROGRESS)
    )
    consumer: Any = Scripted(reader, [{progress: 2}, {audience: 5, progress: 1}, {reaction: 3}, {}])
    asyncio.run(reader._read(consumer))
    assert follower.batches == [
        (RESULTS_AUDIENCE, 5),
        (RESULTS_REACTION, 3),
        (RESULTS_PROGRESS, 2),
        (RESULTS_PROGRESS, 1),
    ]


class Consumer:
    """A client whose first starts fail."""

    failures = 0
    stopped = 0

    def __init__(self, **_: object) -> None:
        self.started = False

    async def start(self) -> None:
        """Fail while failures are left."""
        if Consumer.failures:
            Consumer.failures -= 1
            raise KafkaConnectionError
        self.started = True

    async def stop(self) -> None:
        """Count."""
        Consumer.stopped += 1


@pytest.mark.parametrize(("kind", "tries"), [(AwayError, 3), (BrokerError, 1)])
def test_a_starting_broker_is_waited_for(monkeypatch: pytest.MonkeyPatch, kind: type[BrokerError], tries: int) -> None:
    """While nothing listens, the reader retries; a refusal is final."""

    async def why(*_: object) -> BrokerError:
        return kind("no")

    monkeypatch.setattr(module, "AIOKafkaConsumer", Consumer)
    monkeypatch.setattr(module, "why_unreachable", why)
    monkeypatch.setattr(Consumer, "failures", 2)
    monkeypatch.setattr(Consumer, "stopped", 0)
    reader = ResultReader(Connection("127.0.0.1:1"))
    if kind is AwayError:
        assert asyncio.run(reader._connect()).started
    else:
        with pytest.raises(BrokerError, match="no"):
            asyncio.run(reader._connect())
    assert Consumer.stopped == min(tries, 2)


def test_the_wait_for_a_broker_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time limit the error says that there is no broker."""

    async def why(*_: object) -> BrokerError:
        return AwayError("nobody")

    monkeypatch.setattr(module, "AIOKafkaConsumer", Consumer)
    monkeypatch.setattr(module, "why_unreachable", why)
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.0)
    monkeypatch.setattr(Consumer, "failures", 100)
    with pytest.raises(BrokerError, match="nobody"):
        asyncio.run(ResultReader(Connection("127.0.0.1:1"))._connect())
