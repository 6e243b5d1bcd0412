"""Whole Kafka record batches out of aiokafka: one chunk per batch instead of one Python object per record.

aiokafka walks a batch in C; what costs is the Python objects it makes of every record. Here the values stay in the
bytes they came in (``streams.kernels.framing`` finds them), and the checksum is the processor's own instruction
(crc32c). Everything else is as aiokafka does it: transactions, old formats, a start within a batch.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, Fetcher, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.protocol.fetch import FetchRequest

from streams.engines.faust.arrived import keep_pieces
from streams.engines.faust.chunks import Chunk
from streams.engines.faust.rawbatch import RawBatch
from streams.kernels.packed import Packed, packed
from streams.kernels.record import Ints


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
            raw = RawBatch.at(self.data, position)
            position = raw.end
            if self._check_crcs and not self._fits(batch, raw):
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            start = self.next_fetch_offset
            chunk = self._chunk(batch, raw, start, self._is_hidden(batch))
            self.next_fetch_offset = chunk.next_offset
            yield chunk

    @staticmethod
    def _fits(batch: Any, raw: RawBatch) -> bool:
        return raw.checksum_fits() if raw.known else bool(batch.validate_crc())

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
    def _chunk(batch: Any, raw: RawBatch, start: int, hidden: bool) -> Chunk:
        values, offsets = _NOTHING if hidden else raw.values() or _walked(batch)
        first = int(np.searchsorted(offsets, start))
        return Chunk(start, max(start, batch.next_offset), values[first:], offsets[first:])


def _walked(batch: Any) -> tuple[Packed, Ints]:
    """Return values and offsets of a batch record by record."""
    records = list(batch)
    return packed([record.value for record in records]), np.array([record.offset for record in records], np.int64)


_NOTHING = packed([]), np.empty(0, np.int64)


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
            for connection in self._client._conns.values():  # noqa: SLF001 - aiokafka has no hook for a connection's reader
                keep_pieces(connection)
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
