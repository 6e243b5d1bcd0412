"""Checkpoints in Kafka: one partition of the checkpoint topic per input partition, read whole at a restart."""

import asyncio
import logging
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaError

from streams.checkpoint.records import ChainWriter, restore
from streams.contract.runinfo import RunInfo
from streams.contract.topics import INPUTS
from streams.fold.state import PartitionState
from streams.kafka.connection import Connection
from streams.kafka.topicreader import read_topics
from streams.kafka.writer import BatchWriter, OutgoingRecord

log = logging.getLogger(__name__)

_STOP_SECONDS: Final = 5.0


class Saved(NamedTuple):
    """A state as records, not yet written."""

    topic: str
    partition: int
    next_offset: int
    whole: bool
    """Whether the records hold a whole state rather than changes."""
    records: list[bytes]


class CheckpointLog:
    """Writes and reads the checkpoints of one run and engine name; for use in one event loop.

    Args:
        connection: Where the broker is.
        info: The run.
        engine: The engine name in result keys.
        writer: Writes the records.
    """

    def __init__(self, connection: Connection, info: RunInfo, engine: str, writer: BatchWriter) -> None:
        self._connection = connection
        self._info = info
        self._engine = engine
        self._writer = writer
        self._topic = info.names().checkpoints
        self._chains: dict[tuple[str, int], ChainWriter] = {}
        self._trimming: set[asyncio.Task[None]] = set()

    def cut(self, states: Iterable[PartitionState]) -> list[Saved]:
        """Return the states as they are now, as records; write these only after the results up to here."""
        return [self._cut(state) for state in states]

    def _cut(self, state: PartitionState) -> Saved:
        chain = self._chains.get((state.topic, state.partition))
        if chain is None:
            chain = ChainWriter(self._info, self._engine, state.topic, state.partition)
            self._chains[state.topic, state.partition] = chain
        whole = chain.begins
        return Saved(state.topic, state.partition, state.next_offset, whole, chain.records(state))

    async def write(self, saved: Iterable[Saved]) -> None:
        """Write the records of ``cut``.

        Raises:
            BrokerError: Not all were acknowledged; the partitions concerned start new chains next time.
        """
        waiting = list(saved)
        try:
            while waiting:
                one = waiting[0]
                key = f"{one.topic}[{one.partition}]".encode()
                outs = [OutgoingRecord(key, record) for record in one.records]
                number = self._partition(one.topic, one.partition)
                written = await self._writer.write(self._topic, outs, number)
                waiting.pop(0)
                if one.whole:
                    self._trim(number, written.first_offset)
        finally:
            for one in waiting:
                self.forget((one.topic, one.partition))

    def forget(self, place: tuple[str, int]) -> None:
        """Start a new chain for a partition: another worker owned it, or a record of its chain may be missing."""
        self._chains.pop(place, None)

    def _partition(self, topic: str, partition: int) -> int:
        return INPUTS.index(topic) * self._info.partitions + partition

    def _trim(self, partition: int, before: int) -> None:
        """Have the broker delete the records before a whole state; nothing depends on them."""
        task = asyncio.get_running_loop().create_task(self._delete(partition, before))
        self._trimming.add(task)
        task.add_done_callback(self._trimming.discard)

    async def _delete(self, partition: int, before: int) -> None:
        admin = AIOKafkaAdminClient(**self._connection.for_aiokafka())
        try:
            await admin.start()
            await admin.delete_records({TopicPartition(self._topic, partition): RecordsToDelete(before)})
        except (KafkaError, OSError) as error:
            log.info("%s[%d]: old checkpoints were not deleted: %r", self._topic, partition, error)
        finally:
            await admin.close()

    async def close(self) -> None:
        """Wait a few seconds for pending deletions of old checkpoints."""
        if self._trimming:
            await asyncio.wait(self._trimming, timeout=_STOP_SECONDS)
        for task in self._trimming:
            task.cancel()

    async def restore(self, places: Collection[tuple[str, int]]) -> list[PartitionState]:
        """Return the states of partitions as of their latest usable checkpoints.

        Raises:
            BrokerError: The checkpoints cannot be read.
        """
        found = await self._read({self._partition(*place) for place in places})
        states = []
        for topic, partition in places:
            self.forget((topic, partition))
            records = found.get(self._partition(topic, partition), [])
            restored = restore(self._info, self._engine, topic, partition, records)
            await asyncio.sleep(0)
            for note in dict.fromkeys(restored.notes):
                log.warning("checkpoint of %s[%d] not used: %s", topic, partition, note)
            level = logging.WARNING if restored.notes else logging.INFO
            offset = restored.state.next_offset
            where = "from a checkpoint" if offset else "the beginning"
            log.log(level, "%s[%d] resumes at offset %d, %s", topic, partition, offset, where)
            states.append(restored.state)
        return states

    async def _read(self, numbers: set[int]) -> dict[int, list[bytes]]:
        found: dict[int, list[bytes]] = {number: [] for number in numbers}

        def accept(place: TopicPartition, records: list[ConsumerRecord]) -> None:
            found[place.partition] += [record.value or b"" for record in records]

        await read_topics(self._connection, [self._topic], accept, partitions=numbers)
        return found
