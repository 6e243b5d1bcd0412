"""Publishes the oracle's answers to the result topics, as the engine named ``truth``."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final
from zlib import crc32

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.contract.results import Progress, Result, encode, key_of, topic_of
from streams.contract.runinfo import RunInfo
from streams.errors import AwayError
from streams.kafka.admin import failed
from streams.kafka.connection import Connection
from streams.kafka.patience import patiently

BATCH_BYTES: Final = 512 << 10
CONNECT_SECONDS: Final = 15.0


def publish(connection: Connection, info: RunInfo, records: Iterable[Result | Progress]) -> int:
    """Write records to a run's result topics; a progress record is sent once all records before it are stored.

    Returns:
        The number of records written, all of them acknowledged.

    Raises:
        BrokerError: No broker answers, for ``streams.kafka.patience.WAIT_SECONDS``, or it refuses.
    """
    kept = list(records)  # written again from the first one where the broker leaves; a record may be there twice
    return patiently(lambda: _published(connection, info, kept))


def _published(connection: Connection, info: RunInfo, records: Iterable[Result | Progress]) -> int:
    try:
        return asyncio.run(_publish(connection, info, records))
    except TimeoutError as error:
        raise AwayError(
            f"{connection.bootstrap_servers}: cannot write the truth: no answer within {CONNECT_SECONDS:g} s"
        ) from error
    except (KafkaError, OSError) as error:
        raise failed(connection, "cannot write the truth", error) from error


async def _publish(connection: Connection, info: RunInfo, records: Iterable[Result | Progress]) -> int:
    producer = AIOKafkaProducer(
        **connection.for_aiokafka(), max_batch_size=BATCH_BYTES, max_request_size=4 * BATCH_BYTES, acks="all"
    )
    try:
        await asyncio.wait_for(producer.start(), CONNECT_SECONDS)
        sender = _Sender(producer)
        sent = 0
        for record in records:
            if isinstance(record, Progress):
                await sender.flush()
            await sender.add(info.topics[topic_of(record)], key_of(record), encode(record))
            sent += 1
        await sender.flush()
        return sent
    finally:
        await producer.stop()


class _Sender:
    """Fills one batch per partition and sends full ones."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self.producer = producer
        self._open: dict[tuple[str, int], Any] = {}
        self._partitions: dict[str, int] = {}
        self._sent: list[asyncio.Future[Any]] = []

    async def add(self, topic: str, key: bytes, value: bytes) -> None:
        """Add a record to its partition's batch."""
        if topic not in self._partitions:
            self._partitions[topic] = len(await self.producer.partitions_for(topic))
        partition = crc32(key) % self._partitions[topic]
        batch = self._open.get((topic, partition))
        if batch is None or batch.append(key=key, value=value, timestamp=None) is None:
            if batch is not None:
                await self._send(topic, partition)
            batch = self._open[topic, partition] = self.producer.create_batch()
            batch.append(key=key, value=value, timestamp=None)

    async def flush(self) -> None:
        """Send all open batches and wait until the broker has acknowledged everything."""
        for topic, partition in list(self._open):
            await self._send(topic, partition)
        await asyncio.gather(*self._sent)
        self._sent.clear()

    async def _send(self, topic: str, partition: int) -> None:
        batch = self._open.pop((topic, partition))
        self._sent.append(await self.producer.send_batch(batch, topic, partition=partition))
