"""Whole Kafka record batches out of aiokafka: a consumer's ``getmany`` brings one object per batch, not per record.

aiokafka walks a batch in C; what costs is the Python objects it makes of every record. The checksum is the processor's
own instruction (crc32c). Everything else is as aiokafka does it: transactions, old formats, a start within a batch.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, Fetcher, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.protocol.fetch import FetchRequest

from streams.kafka.arrived import keep_pieces
from streams.kafka.rawbatch import RawBatch


class FetchedBatches(PartitionRecords):  # type: ignore[misc]  # aiokafka has no type information
    """What one fetch brought of one partition; a subclass makes one object of each batch.

    Every offset is covered by exactly one object, without gaps, so that a consumer can tell what is missing.

    Raises:
        CorruptRecordException: A batch's checksum does not fit; what was not taken yet is fetched again.
    """

    next_fetch_offset: int
    data: bytes = b""
    """The bytes of the fetch, where known."""

    @abstractmethod
    def made(self, batch: Any, raw: RawBatch, start: int, *, hidden: bool) -> Any:
        """Return the object of a batch, which has its ``next_offset``.

        Args:
            batch: The batch as aiokafka reads it.
            raw: The batch as it lies in the fetch.
            start: The first offset that is wanted.
            hidden: Whether a reader must not see its records.
        """

    def _unpack_records(self) -> Iterator[Any]:
        records, position = self._records, 0
        while records.has_next():
            batch = records.next_batch()
            raw = RawBatch.at(self.data, position)
            position = raw.end
            if self._check_crcs and not self._fits(batch, raw):
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            made = self.made(batch, raw, self.next_fetch_offset, hidden=self._is_hidden(batch))
            self.next_fetch_offset = made.next_offset
            yield made

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
    """A fetcher whose results for some topics are whole batches.

    aiokafka has no hook for the class of its fetcher, so a consumer's own fetcher is turned into one of these
    (``take_batches``): that touches this one consumer and nothing that others share.
    """

    batch_topics: frozenset[str]
    batches: type[FetchedBatches]
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
        ours = self.batches(
            partition,
            plain._records,  # noqa: SLF001 - see the class
            plain._aborted_transactions,  # noqa: SLF001 - see the class
            plain.next_fetch_offset,
            None,
            None,
            plain._check_crcs,  # noqa: SLF001 - see the class
            plain._isolation_level,  # noqa: SLF001 - see the class
        )
        plain._records_iterator = None  # noqa: SLF001 - it holds its owner, and so all bytes of the fetch, until a search for cycles
        ours.data = data
        result._partition_records = ours  # noqa: SLF001 - see the class


def take_batches(consumer: AIOKafkaConsumer, topics: Sequence[str], batches: type[FetchedBatches]) -> None:
    """Have a started consumer's ``getmany`` bring what ``batches`` makes of the batches of some topics."""
    fetcher = consumer._fetcher  # noqa: SLF001 - see BatchFetcher
    fetcher.__class__ = BatchFetcher
    fetcher.batch_topics = frozenset(topics)
    fetcher.batches = batches
    fetcher._client = _Tap(fetcher._client)  # noqa: SLF001 - see BatchFetcher
