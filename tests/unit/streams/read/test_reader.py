"""The reader's own work, without a broker."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from streams.contract.topics import RESULTS_AUDIENCE, RESULTS_PROGRESS
from streams.errors import AwayError, BrokerError
from streams.kafka.connection import Connection
from streams.read import reader as module
from streams.read.reader import SLICE, ResultReader
from streams.read.runview import RunView

SLICES = 100


class Slow:
    """Stands for the follower: notes what it is given, and lets somebody ask as soon as it has been given anything."""

    def __init__(self, begun: threading.Event) -> None:
        self.taken: list[tuple[str, int]] = []
        self.begun = begun

    def take(self, topic: str, partition: TopicPartition, records: Sequence[object]) -> None:
        """Note how much was taken in one go."""
        assert topic == partition.topic
        self.taken.append((topic, len(records)))
        self.begun.set()

    def view(self) -> RunView:
        """Say how many records were taken."""
        return RunView(records={"taken": sum(count for _, count in self.taken)})


def test_a_scrape_does_not_wait_for_a_long_batch() -> None:
    """Whoever asks while a batch is taken gets an answer in the middle of it; progress is taken last, and all of it."""
    begun = threading.Event()
    reader = ResultReader(Connection("127.0.0.1:1"))
    follower: Any = Slow(begun)
    reader._follow = follower
    seen: list[int] = []

    def ask() -> None:
        begun.wait(10)
        seen.append(reader.snapshot().records["taken"])

    asking = threading.Thread(target=ask)
    asking.start()
    batches: Any = {
        TopicPartition(RESULTS_PROGRESS, 0): [None] * 3,
        TopicPartition(RESULTS_AUDIENCE, 0): [None] * (SLICES * SLICE + 1),
    }
    asyncio.run(reader._take(batches))
    asking.join()
    assert 0 < seen[0] < SLICES * SLICE
    assert follower.taken[-1] == (RESULTS_PROGRESS, 3)
    assert follower.view().records["taken"] == SLICES * SLICE + 4


class Consumer:
    """A client that cannot be started the first times."""

    failures = 0
    stopped = 0

    def __init__(self, **_: object) -> None:
        self.started = False

    async def start(self) -> None:
        """Fail, or not any more."""
        if Consumer.failures:
            Consumer.failures -= 1
            raise KafkaConnectionError
        self.started = True

    async def stop(self) -> None:
        """Count."""
        Consumer.stopped += 1


@pytest.mark.parametrize(("kind", "tries"), [(AwayError, 3), (BrokerError, 1)])
def test_a_broker_that_is_being_started_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, kind: type[BrokerError], tries: int
) -> None:
    """Where nobody listens it is tried again; a broker that does not let us in is believed at once."""

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


def test_nobody_is_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time a broker may take it is said that there is none."""

    async def why(*_: object) -> BrokerError:
        return AwayError("nobody")

    monkeypatch.setattr(module, "AIOKafkaConsumer", Consumer)
    monkeypatch.setattr(module, "why_unreachable", why)
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.0)
    monkeypatch.setattr(Consumer, "failures", 100)
    with pytest.raises(BrokerError, match="nobody"):
        asyncio.run(ResultReader(Connection("127.0.0.1:1"))._connect())
