"""Whole Kafka record batches out of aiokafka: one chunk per batch instead of one Python object per record.

aiokafka walks a batch in C; what costs is the ``ConsumerRecord`` it makes of every record. Here the values alone are
taken. Everything else is as aiokafka does it: checksums, compression, transactions, a start within a batch.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, Fetcher, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException

from streams.engines.chunks import Chunk


class BatchRecords(PartitionRecords):  # type: ignore[misc]  # aiokafka has no type information
    """What one fetch brought of one partition, a ``Chunk`` per batch.

    Every offset is covered by exactly one chunk, without gaps, so that a consumer can tell what is missing.

    Raises:
        CorruptRecordException: A batch's checksum does not fit; what was not taken yet is fetched again.
    """

    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[Chunk]:
        records = self._records
        while records.has_next():
            batch = records.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            start = self.next_fetch_offset
            chunk = self._nothing(batch, start) if self._is_hidden(batch) else self._chunk(batch, start)
            self.next_fetch_offset = chunk.next_offset
            yield chunk

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
    def _chunk(batch: Any, start: int) -> Chunk:
        first, after = batch.base_offset, batch.next_offset
        values = [record.value for record in batch]
        if len(values) == after - first and start <= first:
            return Chunk(start, after, values, [range(first, after)])
        kept = [(record.offset, record.value) for record in batch if record.offset >= start]
        offsets: Sequence[int] = [offset for offset, _ in kept]
        return Chunk(start, max(start, after), [value for _, value in kept], [offsets])


class BatchFetcher(Fetcher):  # type: ignore[misc]  # aiokafka has no type information
    """A fetcher whose results for some topics are chunks.

    aiokafka has no hook for the class of its fetcher, so a consumer's own fetcher is turned into one of these
    (``take_batches``): that touches this one consumer and nothing that others share.
    """

    batch_topics: frozenset[str]

    async def _proc_fetch_request(self, assignment: Any, node_id: int, request: Any) -> bool:
        added: bool = await super()._proc_fetch_request(assignment, node_id, request)
        # Nothing has run since the results were put there: between them and this line nobody awaits anything.
        for partition, result in self._records.items():
            if partition.topic in self.batch_topics and type(result) is FetchResult:
                self._use_batches(partition, result)
        return added

    @staticmethod
    def _use_batches(partition: TopicPartition, result: FetchResult) -> None:
        plain = result._partition_records  # noqa: SLF001 - see the class
        if type(plain) is PartitionRecords:
            result._partition_records = BatchRecords(  # noqa: SLF001 - see the class
                partition,
                plain._records,  # noqa: SLF001 - see the class
                plain._aborted_transactions,  # noqa: SLF001 - see the class
                plain.next_fetch_offset,
                None,
                None,
                plain._check_crcs,  # noqa: SLF001 - see the class
                plain._isolation_level,  # noqa: SLF001 - see the class
            )


def take_batches(consumer: AIOKafkaConsumer, topics: Sequence[str]) -> None:
    """Have a started consumer's ``getmany`` bring chunks of some topics."""
    fetcher = consumer._fetcher  # noqa: SLF001 - see BatchFetcher
    fetcher.__class__ = BatchFetcher
    fetcher.batch_topics = frozenset(topics)
