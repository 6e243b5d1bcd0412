"""Whole Kafka record batches out of aiokafka: one chunk per batch instead of one Python object per record.

aiokafka walks a batch in C; what costs is the Python objects it makes of every record. Here the values alone are
taken, and of large batches not even those: they stay in the bytes they came in (``streams.engines.faust.framing``),
and the checksum is the processor's own instruction (crc32c). Everything else is as aiokafka does it: compression,
transactions, a start within a batch.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, Fetcher, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.protocol.fetch import FetchRequest
from crc32c import crc32c

from streams.engines.faust import framing
from streams.engines.faust.chunks import Chunk

_MAGIC_2: Final = 2
_COMPRESSION: Final = 7
"""Bits of a batch's attributes that say how it is compressed."""


class _Raw(NamedTuple):
    """Where a batch of format 2 lies in the bytes of a fetch; the offsets are those of the protocol's description."""

    data: bytes
    start: int
    end: int

    def number(self, at: int, width: int) -> int:
        return int.from_bytes(self.data[self.start + at : self.start + at + width], "big")

    @property
    def magic(self) -> int:
        return self.data[self.start + 16]

    def checksum_fits(self) -> bool:
        return crc32c(memoryview(self.data)[self.start + 21 : self.end]) == self.number(17, 4)

    @property
    def compressed(self) -> bool:
        return bool(self.number(21, 2) & _COMPRESSION)

    @property
    def records(self) -> int:
        return self.number(57, 4)


class BatchRecords(PartitionRecords):  # type: ignore[misc]  # aiokafka has no type information
    """What one fetch brought of one partition, a ``Chunk`` per batch.

    Every offset is covered by exactly one chunk, without gaps, so that a consumer can tell what is missing.

    Raises:
        CorruptRecordException: A batch's checksum does not fit; what was not taken yet is fetched again.
    """

    next_fetch_offset: int
    data: bytes = b""
    """The bytes of the fetch, where known."""

    def _unpack_records(self) -> Iterator[Chunk]:
        records, position = self._records, 0
        while records.has_next():
            batch = records.next_batch()
            raw = self._raw(position)
            position = raw.end
            if self._check_crcs and not self._fits(batch, raw):
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            start = self.next_fetch_offset
            chunk = self._nothing(batch, start) if self._is_hidden(batch) else self._chunk(batch, raw, start)
            self.next_fetch_offset = chunk.next_offset
            yield chunk

    def _raw(self, position: int) -> _Raw:
        length = int.from_bytes(self.data[position + 8 : position + 12], "big")
        return _Raw(self.data, position, position + 12 + length)

    @staticmethod
    def _fits(batch: Any, raw: _Raw) -> bool:
        if raw.data and raw.magic == _MAGIC_2:
            return raw.checksum_fits()
        return bool(batch.validate_crc())

    def _is_hidden(self, batch: Any) -> bool:
        """Whether a reader must not see the batch: a control batch, or one of a transaction that was given up."""
        if self._isolation_level == READ_COMMITTED and batch.producer_id is not None:
            self._consume_aborted_up_to(batch.base_offset)
            if batch.is_control_batch and self._contains_abort_marker(batch):
                self._aborted_producers.discard(batch.producer_id)
            if batch.is_transactional and batch.producer_id in self._aborted_producers:
                return True
        return bool(batch.is_control_batch)

    @staticmethod
    def _nothing(batch: Any, start: int) -> Chunk:
        return Chunk(start, max(start, batch.next_offset), [], [])

    @staticmethod
    def _chunk(batch: Any, raw: _Raw, start: int) -> Chunk:
        first, after = batch.base_offset, batch.next_offset
        if (
            start <= first
            and raw.data
            and raw.magic == _MAGIC_2
            and not raw.compressed
            and raw.records == after - first
        ):
            packed = framing.values(raw.data, raw.start, raw.end, raw.records)
            if packed is not None:
                return Chunk(start, after, packed, [range(first, after)])
        found = [record for record in batch if record.offset >= start]
        offsets: Sequence[int] = range(first, after)
        if start > first or len(found) != len(offsets):
            offsets = [record.offset for record in found]
        return Chunk(start, max(start, after), [record.value for record in found], [offsets])


class _Tap:
    """A fetcher's client that keeps the answers to its fetch requests until they are asked for."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.answers: dict[int, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def send(self, node_id: int, request: Any, **options: Any) -> Any:
        answer = await self._client.send(node_id, request, **options)
        if isinstance(request, FetchRequest):
            self.answers[id(request)] = answer
        return answer


class BatchFetcher(Fetcher):  # type: ignore[misc]  # aiokafka has no type information
    """A fetcher whose results for some topics are chunks.

    aiokafka has no hook for the class of its fetcher, so a consumer's own fetcher is turned into one of these
    (``take_batches``): that touches this one consumer and nothing that others share.
    """

    batch_topics: frozenset[str]
    _client: _Tap

    async def _proc_fetch_request(self, assignment: Any, node_id: int, request: Any) -> bool:
        try:
            added: bool = await super()._proc_fetch_request(assignment, node_id, request)
            # Nothing has run since the results were put there: between them and this line nobody awaits anything.
            answer = self._client.answers.get(id(request))
            for topic, partitions in answer.topics if answer is not None else ():
                if topic in self.batch_topics:
                    for number, *_, data in partitions:
                        self._use_batches(TopicPartition(topic, number), data)
            return added
        finally:
            self._client.answers.pop(id(request), None)

    def _use_batches(self, partition: TopicPartition, data: bytes) -> None:
        result: Any = self._records.get(partition)
        plain = result._partition_records if type(result) is FetchResult else None  # noqa: SLF001 - see the class
        if plain is None or type(plain) is not PartitionRecords:
            return
        ours = BatchRecords(
            partition,
            plain._records,  # noqa: SLF001 - see the class
            plain._aborted_transactions,  # noqa: SLF001 - see the class
            plain.next_fetch_offset,
            None,
            None,
            plain._check_crcs,  # noqa: SLF001 - see the class
            plain._isolation_level,  # noqa: SLF001 - see the class
        )
        ours.data = data
        result._partition_records = ours  # noqa: SLF001 - see the class


def take_batches(consumer: AIOKafkaConsumer, topics: Sequence[str]) -> None:
    """Have a started consumer's ``getmany`` bring chunks of some topics."""
    fetcher = consumer._fetcher  # noqa: SLF001 - see BatchFetcher
    fetcher.__class__ = BatchFetcher
    fetcher.batch_topics = frozenset(topics)
    fetcher._client = _Tap(fetcher._client)  # noqa: SLF001 - see BatchFetcher
