"""Nothing that waits grows without bound: whoever is ahead of the broker waits for it."""

import asyncio
import threading
from collections.abc import Iterable, Iterator

import pytest

from producers.replay.prefetch import Prefetch
from streams.contract.deadletters import DeadLetter
from streams.contract.topics import PRESENCE
from streams.engines.abstract import WorkerSettings
from streams.engines.faust import worker as module
from streams.engines.faust.worker import FaustWorker
from streams.errors import BrokerError
from streams.fold.state import PartitionState
from streams.kafka.connection import Connection
from streams.kafka.writer import BatchWriter, OutgoingRecord, Written
from tests.chunks import chunk_of
from tests.oracle import long_night

INFO = long_night()
PLACE = (PRESENCE, 0)


def test_blocks_are_prepared_a_few_ahead_and_no_further() -> None:
    """With nobody taking blocks, two wait and one is in the maker's hands."""
    made: list[int] = []
    third = threading.Event()

    def blocks() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            if number == 2:
                third.set()
            yield number

    with Prefetch(blocks(), depth=2) as ahead:
        assert third.wait(10)
        assert ahead.take(lambda _: None) == 0
    assert len(made) <= 4


class Away(BatchWriter):
    """A broker that does not listen until it is told to."""

    def __init__(self) -> None:
        super().__init__(Connection("127.0.0.1:1"))
        self.here = False
        self.dead_letters = 0

    async def write(self, topic: str, records: Iterable[OutgoingRecord], partition: int = 0) -> Written:  # noqa: ARG002 - BatchWriter's
        """Take the records, or be away."""
        if not self.here:
            raise BrokerError("away")
        count = len(list(records))
        self.dead_letters += count if topic.endswith("dead-letters") else 0
        return Written(count, 0)


def test_a_worker_takes_no_more_while_too_much_is_put_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records that are none wait to be written down; at their limit the next chunk waits until the broker is back."""
    monkeypatch.setattr(module, "MAX_DEAD_LETTERS", 3)

    async def scene() -> tuple[list[DeadLetter], bool, int]:
        worker = FaustWorker(WorkerSettings(Connection("127.0.0.1:1"), INFO, "faust"))
        writer = worker.writer = Away()
        worker.partitions.put([PartitionState(INFO, *PLACE)])
        await worker.accept(PLACE, chunk_of(0, 5, [b"none"] * 5, range(5)))
        second = asyncio.create_task(worker.accept(PLACE, chunk_of(5, 9, [b"none"] * 4, range(5, 9))))
        with pytest.raises(BrokerError):
            await worker.cycle(checkpoint=False)
        waiting, held = list(worker.partitions.dead_letters), not second.done()
        writer.here = True
        await worker.cycle(checkpoint=False)
        await asyncio.wait_for(second, 10)
        await worker.cycle(checkpoint=False)
        return waiting, held, writer.dead_letters

    waiting, held, written = asyncio.run(scene())
    assert (len(waiting), held, written) == (5, True, 9)
