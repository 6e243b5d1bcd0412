"""Checkpoints in Kafka: one partition of the checkpoint topic per input partition, read whole at a restart."""

import asyncio
import logging
import time
from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaError

from streams.checkpoint.records import ChainWriter, restore
from streams.contract.runinfo import RunInfo
from streams.contract.topics import INPUTS
from streams.errors import BrokerError
from streams.fold.state import PartitionState
from streams.kafka.connection import Connection
from streams.kafka.writer import BatchWriter, OutgoingRecord

log = logging.getLogger(__name__)

_TUNING: Final[dict[str, Any]] = {
    "group_id": None,
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "fetch_max_wait_ms": 100,
    "max_partition_fetch_bytes": 4 << 20,
}
_POLL_MS: Final = 200
_STILL_SECONDS: Final = 60.0
"""How long reading the checkpoints may stand still."""
_STOP_SECONDS: Final = 5.0


class Saved(NamedTuple):
    """A state as records, not yet written."""

    topic: str
    partition: int
    next_offset: int
    whole: bool
    """A whole state, not changes."""
    records: list[bytes]


class CheckpointLog:
    """Writes and reads the checkpoints of one run and engine name; use it in one event loop.

    Args:
        connection: Where the broker is.
        info: The run.
        engine: The name results are published under.
        outlet: What is written goes through it.
    """

    def __init__(self, connection: Connection, info: RunInfo, engine: str, outlet: BatchWriter) -> None:
        self._connection = connection
        self._info = info
        self._engine = engine
        self._outlet = outlet
        self._topic = info.names().checkpoints
        self._writers: dict[tuple[str, int], ChainWriter] = {}
        self._trimming: set[asyncio.Task[None]] = set()

    def cut(self, states: Iterable[PartitionState]) -> list[Saved]:
        """Return the states as they are now, ready to be written; results up to here must be out before that."""
        return [self._cut(state) for state in states]

    def _cut(self, state: PartitionState) -> Saved:
        writer = self._writers.get((state.topic, state.partition))
        if writer is None:
            writer = ChainWriter(self._info, self._engine, state.topic, state.partition)
            self._writers[state.topic, state.partition] = writer
        whole = writer.begins
        return Saved(state.topic, state.partition, state.next_offset, whole, writer.records(state))

    async def write(self, saved: Iterable[Saved]) -> None:
        """Write what was cut.

        Raises:
            BrokerError: Not everything was acknowledged: the partitions concerned begin anew next time.
        """
        waiting = list(saved)
        try:
            while waiting:
                one = waiting[0]
                key = f"{one.topic}[{one.partition}]".encode()
                outs = [OutgoingRecord(key, record) for record in one.records]
                number = self._partition(one.topic, one.partition)
                written = await self._outlet.write(self._topic, outs, number)
                waiting.pop(0)
                if one.whole:
                    self._trim(number, written.first_offset)
        finally:
            for one in waiting:
                self.forget((one.topic, one.partition))

    def forget(self, place: tuple[str, int]) -> None:
        """Begin a new chain for a partition: it was somebody else's, or a record of it may be missing."""
        self._writers.pop(place, None)

    def _partition(self, topic: str, partition: int) -> int:
        return INPUTS.index(topic) * self._info.partitions + partition

    def _trim(self, partition: int, before: int) -> None:
        """Have the broker drop what lies before a whole state; nothing depends on it."""
        task = asyncio.get_running_loop().create_task(self._delete(partition, before))
        self._trimming.add(task)
        task.add_done_callback(self._trimming.discard)

    async def _delete(self, partition: int, before: int) -> None:
        admin = AIOKafkaAdminClient(**self._connection.for_aiokafka())
        try:
            await admin.start()
            await admin.delete_records({TopicPartition(self._topic, partition): RecordsToDelete(before)})
        except (KafkaError, OSError) as error:
            log.info("%s[%d]: old checkpoints stay: %r", self._topic, partition, error)
        finally:
            await admin.close()

    async def close(self) -> None:
        """Wait a little for the broker to drop what is old."""
        if self._trimming:
            await asyncio.wait(self._trimming, timeout=_STOP_SECONDS)
        for task in self._trimming:
            task.cancel()

    async def restore(self, places: Collection[tuple[str, int]]) -> list[PartitionState]:
        """Return the states of partitions as far as their checkpoints reach.

        Raises:
            BrokerError: The checkpoints cannot be read.
        """
        try:
            found = await self._read({self._partition(*place) for place in places})
        except (KafkaError, OSError) as error:
            raise BrokerError(f"{self._topic}: cannot be read: {error!r}") from error
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
            where = "where a whole checkpoint ends" if offset else "the beginning"
            log.log(level, "%s[%d] goes on at offset %d, %s", topic, partition, offset, where)
            states.append(restored.state)
        return states

    async def _read(self, numbers: set[int]) -> dict[int, list[bytes]]:
        partitions = [TopicPartition(self._topic, number) for number in numbers]
        consumer = AIOKafkaConsumer(**{**_TUNING, **self._connection.for_aiokafka()})
        await consumer.start()
        try:
            if self._topic not in await consumer.topics():
                raise BrokerError(f"topic {self._topic} is missing: open the run before its engine starts")
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            return await self._drain(consumer, await consumer.end_offsets(partitions))
        finally:
            await consumer.stop()

    async def _drain(self, consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> dict[int, list[bytes]]:
        found: dict[int, list[bytes]] = {}
        moved = time.monotonic()
        while [tp for tp, end in ends.items() if await consumer.position(tp) < end]:
            batches = await consumer.getmany(timeout_ms=_POLL_MS)
            for tp, records in batches.items():
                found.setdefault(tp.partition, []).extend(record.value or b"" for record in records)
            if batches:
                moved = time.monotonic()
            elif time.monotonic() - moved > _STILL_SECONDS:
                raise TimeoutError(f"nothing came for {_STILL_SECONDS:g} s")
        return found
