"""Writes records in batches and returns once the broker has acknowledged them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from streams.contract.topics import MAX_MESSAGE_BYTES
from streams.errors import BrokerError, RefusedError
from streams.kafka.connection import Connection
from streams.kafka.packedbatch import ClosedBatch, pack
from streams.kernels.jit import COMPILED
from streams.kernels.packed import Packed, packed
from streams.kernels.recordbatch import OVERHEAD

BATCH_BYTES: Final = 256 << 10
_STOP_SECONDS: Final = 2.0
_TUNING: Final[dict[str, Any]] = {
    "acks": "all",
    "max_batch_size": BATCH_BYTES,
    "max_request_size": MAX_MESSAGE_BYTES + (1 << 20),
    "request_timeout_ms": 15_000,
}


class OutgoingRecord(NamedTuple):
    """One record to write."""

    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()


class Written(NamedTuple):
    """The outcome of one write."""

    records: int
    first_offset: int
    """Offset of the first record; -1 if there was none."""


class BatchWriter:
    """A producer that is replaced after a failure; for use in one event loop.

    Order per partition is kept (aiokafka sends one request at a time per partition). A record may be written twice;
    readers of the contract tolerate that.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._producer: AIOKafkaProducer | None = None

    async def write(self, topic: str, records: Iterable[OutgoingRecord], partition: int = 0) -> Written:
        """Write records to one partition; returns once the broker has acknowledged all of them.

        Raises:
            BrokerError: Not all were acknowledged; it is unknown which ones.
            RefusedError: The client may not write to the topic.
        """
        found = list(records)
        if COMPILED and not any(record.headers for record in found):
            keys, values = packed([record.key for record in found]), packed([record.value for record in found])
            return await self.write_columns(topic, keys, values, partition)
        return await self._sent(topic, lambda producer: self._write(producer, topic, found, partition))

    async def write_columns(self, topic: str, keys: Packed, values: Packed, partition: int = 0) -> Written:
        """Write records whole batches at a time; otherwise like ``write``."""
        if not COMPILED:
            return await self.write(topic, map(OutgoingRecord, keys, values), partition)
        return await self._sent(topic, lambda producer: self._write_columns(producer, topic, keys, values, partition))

    async def _sent(self, topic: str, send: Callable[[AIOKafkaProducer], Awaitable[Written]]) -> Written:
        try:
            return await send(await self._open())
        except TopicAuthorizationFailedError as error:
            where = self._connection.bootstrap_servers
            raise RefusedError(self._connection.who(), where, [f"WRITE on topic {topic}"]) from error
        except (KafkaError, OSError) as error:
            await self.close()
            raise BrokerError(f"{self._connection.bootstrap_servers}: cannot write {topic}: {error!r}") from error

    async def _write(
        self, producer: AIOKafkaProducer, topic: str, records: Iterable[OutgoingRecord], partition: int
    ) -> Written:
        pending: list[Awaitable[Any]] = []
        batch, count = producer.create_batch(), 0
        for record in records:
            count += 1
            if not _append(batch, record):
                if batch.record_count():
                    pending.append(await producer.send_batch(batch, topic, partition=partition))
                    batch = producer.create_batch()
                if not _append(batch, record):  # larger than a batch: on its own
                    sent = producer.send(topic, record.value, record.key, partition, headers=list(record.headers))
                    pending.append(await sent)
                    batch = producer.create_batch()
        if batch.record_count():
            pending.append(await producer.send_batch(batch, topic, partition=partition))
        acked = await asyncio.gather(*pending)
        return Written(count, acked[0].offset if acked else -1)

    async def _write_columns(
        self, producer: AIOKafkaProducer, topic: str, keys: Packed, values: Packed, partition: int
    ) -> Written:
        pending: list[Awaitable[Any]] = []
        ends = np.cumsum((keys.ends - keys.starts) + (values.ends - values.starts) + OVERHEAD)
        first, now = 0, int(time.time() * 1000)
        while first < len(keys):
            sent = int(ends[first - 1]) if first else 0
            after = max(first + 1, int(np.searchsorted(ends, sent + BATCH_BYTES, side="right")))
            at = np.full(after - first, now, np.int64)
            batch = ClosedBatch(pack(at, keys[first:after].columns(), values[first:after].columns()))
            pending.append(await producer.send_batch(batch, topic, partition=partition))
            first = after
        acked = await asyncio.gather(*pending)
        return Written(len(keys), acked[0].offset if acked else -1)

    async def _open(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(**{**_TUNING, **self._connection.for_aiokafka()})
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def close(self) -> None:
        """Stop the producer; unacknowledged records may be lost."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                await asyncio.wait_for(producer.stop(), _STOP_SECONDS)
            except (TimeoutError, KafkaError):
                return


def _append(batch: Any, record: OutgoingRecord) -> bool:
    added = batch.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers))
    return added is not None
