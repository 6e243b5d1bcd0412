"""Reads the records of partitions from offset to offset, a whole batch at a time."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError, OffsetOutOfRangeError

from producers.capture.captureformat import CapturePlan, Part
from producers.capture.columns import Records, records_of
from streams.errors import BrokerError, JoinstormError
from streams.kafka.admin import failed, why_unreachable
from streams.kafka.batchfetch import FetchedBatches, take_batches
from streams.kafka.connection import Connection
from streams.kafka.rawbatch import RawBatch

STILL_SECONDS: Final = 60.0
"""Longest wait for the next record that is known to be there."""
_TUNING: Final[dict[str, Any]] = {
    "group_id": None,
    "enable_auto_commit": False,
    "auto_offset_reset": "none",
    "fetch_max_wait_ms": 100,
    "fetch_max_bytes": 16 << 20,
    "max_partition_fetch_bytes": 4 << 20,
}
_POLL_MS: Final = 100
_CORRUPT_LIMIT: Final = 5
"""A batch whose checksum does not fit is fetched again this often."""

Accept = Callable[[str, int, Records], None]


class RecordBatches(FetchedBatches):
    """What one fetch brought of one partition, ``Records`` per batch."""

    def made(self, batch: Any, raw: RawBatch, start: int, *, hidden: bool) -> Records:
        """Return the records of a batch."""
        return records_of(batch, raw, start, hidden=hidden)


@contextlib.asynccontextmanager
async def opened(connection: Connection, *, committed: bool) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a consumer of no group.

    Raises:
        BrokerError: The broker does not answer.
    """
    level = "read_committed" if committed else "read_uncommitted"
    consumer = AIOKafkaConsumer(**{**_TUNING, "isolation_level": level, **connection.for_aiokafka()})
    started = time.monotonic()
    try:
        try:
            await consumer.start()
        except KafkaError as error:
            raise await why_unreachable(connection, error, time.monotonic() - started) from error
        yield consumer
    finally:
        await consumer.stop()


class Reading:
    """Reads what is left of a plan.

    Args:
        connection: Where the broker is.
        plan: What is wanted.
        positions: The next offset of each partition.
        held: How many records are captured already.
        accept: Called with the records of each batch, in the order of their partition.
        progress: Called about ten times a second with the number of offsets that are read.
    """

    def __init__(
        self,
        connection: Connection,
        plan: CapturePlan,
        positions: dict[tuple[str, int], int],
        held: int,
        accept: Accept,
        progress: Callable[[int], None],
    ) -> None:
        self._connection = connection
        self._plan = plan
        self._accept = accept
        self._progress = progress
        self._positions = {TopicPartition(*place): offset for place, offset in positions.items()}
        self._ends = {TopicPartition(part.topic, part.partition): part.end for part in plan.parts}
        self._left = None if plan.count is None else plan.count - held
        self._begun = sum(self._positions.values())

    async def run(self) -> None:
        """Read to the end of the plan.

        Raises:
            BrokerError: The broker does not answer, or does not have the records any more.
            JoinstormError: From ``accept``.
        """
        places = list(self._open())
        if not places:
            return
        async with opened(self._connection, committed=self._plan.committed) as consumer:
            try:
                consumer.assign(places)
                take_batches(consumer, sorted({place.topic for place in places}), RecordBatches)
                for place in places:
                    consumer.seek(place, self._positions[place])
                await self._read(consumer)
            except OffsetOutOfRangeError as error:
                lost = ", ".join(f"{place.topic}[{place.partition}]@{at}" for place, at in error.args[0].items())
                raise BrokerError(
                    f"{self._connection.bootstrap_servers}: {lost}: there is no such record any more; "
                    "retention has deleted it, or the topic was made again"
                ) from error
            except JoinstormError:
                raise
            except (KafkaError, OSError) as error:
                names = ", ".join(sorted(self._plan.topics))
                raise failed(self._connection, f"cannot read {names}", error) from error

    def _open(self) -> Iterable[TopicPartition]:
        """Yield the partitions of which something is wanted still."""
        if self._left == 0:
            return
        for place, end in self._ends.items():
            if end is None or self._positions[place] < end:
                yield place

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        moved, corrupt = time.monotonic(), 0
        while open_places := list(self._open()):
            await self._close_due(consumer)
            try:
                found = await consumer.getmany(timeout_ms=_POLL_MS)
            except CorruptRecordException:
                corrupt += 1
                if corrupt > _CORRUPT_LIMIT:
                    raise
                continue
            for place, batches in found.items():
                self._take(place, batches)
                if self._ends[place] is not None and self._positions[place] >= (self._ends[place] or 0):
                    consumer.pause(place)
            if found:
                moved, corrupt = time.monotonic(), 0
            elif time.monotonic() - moved > STILL_SECONDS and any(
                self._ends[place] is not None for place in open_places
            ):
                where = next(place for place in open_places if self._ends[place] is not None)
                raise TimeoutError(
                    f"{where.topic}[{where.partition}]@{self._positions[where]}: no record for {STILL_SECONDS:g} s, "
                    f"expected up to {self._ends[where]}"
                )
            self._progress(sum(self._positions.values()) - self._begun)

    def _take(self, place: TopicPartition, batches: list[Records]) -> None:
        end = self._ends[place]
        for batch in batches:
            records = batch if end is None or batch.next_offset <= end else batch.until(end)
            if self._left is not None and len(records) >= self._left:
                records = records.until(records.next_offset, self._left)
            if self._left is not None:
                self._left -= len(records)
            self._positions[place] = records.next_offset
            self._accept(place.topic, place.partition, records)
            if self._left == 0:
                return

    async def _close_due(self, consumer: AIOKafkaConsumer) -> None:
        """Once the wall clock has reached the end of what was to come, the end of each partition is known."""
        until = self._plan.until_ms
        if until is None or time.time() * 1000 < until or None not in self._ends.values():
            return
        for place, end in (await ends_at(consumer, list(self._ends), until)).items():
            if self._ends[place] is None:
                self._ends[place] = end


async def ends_at(
    consumer: AIOKafkaConsumer, places: list[TopicPartition], moment: int | None
) -> dict[TopicPartition, int]:
    """Return the offset of the first record at or after a moment, or after the last one, for each partition."""
    ends: dict[TopicPartition, int] = await consumer.end_offsets(places)
    if moment is None:
        return ends
    found = await consumer.offsets_for_times(dict.fromkeys(places, moment))
    return {
        place: min(end, found[place].offset) if found.get(place) is not None else end for place, end in ends.items()
    }


def begin_of(parts: Iterable[Part]) -> dict[tuple[str, int], int]:
    """Return the first offset of each partition."""
    return {(part.topic, part.partition): part.begin for part in parts}
