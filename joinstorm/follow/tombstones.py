"""Writes tombstones for the records of old runs on the compacted topics: results, run information and status."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, TypeAlias

import msgspec
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from streams.errors import BrokerError
from streams.kafka.connection import Connection
from streams.kafka.topicreader import read_topics

_BATCH: Final = 5_000
_Key: TypeAlias = tuple[TopicPartition, bytes]
_key = msgspec.json.Decoder(list[Any])


def bury(connection: Connection, topics: Sequence[str], runs: Collection[str]) -> int:
    """Write a tombstone for every key of these runs that still has a value; compaction then frees the space.

    Args:
        connection: Where the broker is.
        topics: Full names of compacted topics whose keys begin with a run id, in the order of writing; missing ones are
            skipped.
        runs: Run ids.

    Returns:
        The number of tombstones written.

    Raises:
        BrokerError: The topics cannot be read or written.
    """
    try:
        return asyncio.run(_bury(connection, list(dict.fromkeys(topics)), set(runs)))
    except (KafkaError, OSError) as error:
        raise BrokerError(f"{connection.bootstrap_servers}: cannot delete the results of old runs: {error}") from error


def run_of(key: bytes | None) -> str | None:
    """Return the run id of a key of a compacted topic: the key itself, or the first item of a list; None if neither."""
    if key is None:
        return None
    if not key.startswith(b"["):
        return key.decode(errors="replace")
    try:
        parts = _key.decode(key)
    except msgspec.DecodeError:
        return None
    return parts[0] if parts and isinstance(parts[0], str) else None


async def _bury(connection: Connection, topics: list[str], runs: set[str]) -> int:
    found = await _alive(connection, topics, runs)
    if not found:
        return 0
    producer = AIOKafkaProducer(**{"acks": "all", "linger_ms": 20, **connection.for_aiokafka()})
    await producer.start()
    try:
        for topic in topics:
            keys = [key for key in found if key[0].topic == topic]
            for begin in range(0, len(keys), _BATCH):
                await _write(producer, keys[begin : begin + _BATCH])
    finally:
        await producer.stop()
    return len(found)


async def _alive(connection: Connection, topics: list[str], runs: set[str]) -> list[_Key]:
    """Return the keys of these runs whose newest record has a value."""
    newest: dict[_Key, bool] = {}

    def accept(partition: TopicPartition, records: list[ConsumerRecord]) -> None:
        for record in records:
            if run_of(record.key) in runs:
                newest[partition, record.key] = record.value is not None

    await read_topics(connection, topics, accept, skip_missing=True)
    return [key for key, alive in newest.items() if alive]


async def _write(producer: AIOKafkaProducer, keys: Iterable[_Key]) -> None:
    sent = [await producer.send(partition.topic, None, key, partition.partition) for partition, key in keys]
    await asyncio.gather(*sent)
