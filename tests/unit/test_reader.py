"""The reader's own work, without a broker."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

from aiokafka import TopicPartition

from streams.connection import Connection
from streams.reader import SLICE, ResultReader
from streams.runview import RunView
from streams.topics import RESULTS_AUDIENCE, RESULTS_PROGRESS

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
