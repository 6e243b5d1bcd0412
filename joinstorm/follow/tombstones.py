"""Marks the records of old runs on the compacted topics as deleted: results, run information and status."""

import asyncio
import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, TypeAlias

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from streams.errors import BrokerError
from streams.kafka.connection import Connection

_AT_ONCE: Final = 5_000
_STILL_SECONDS: Final = 60.0
_POLL_MS: Final = 200
_Key: TypeAlias = tuple[TopicPartition, bytes]
_key = msgspec.json.Decoder(list[Any])


def bury(connection: Connection, topics: Sequence[str], runs: Collection[str]) -> int:
    """Write a tombstone for every key of these runs that still has a value; compaction then frees its place.

    Args:
        connection: Where the broker is.
        topics: Full names of compacted topics whose keys begin with a run id, in the order in which the tombstones are
            written; those that are not there are left out.
        runs: Run ids.

    Returns:
        How many were written.

    Raises:
        BrokerError: The topics cannot be read or written.
    """
    try:
        return asyncio.run(_bury(connection, list(dict.fromkeys(topics)), set(runs)))
    except (KafkaError, OSError) as error:
        raise BrokerError(f"{connection.bootstrap_servers}: cannot forget the results of old runs: {error}") from error


def run_of(key: bytes | None) -> str | None:
    """Return the run a key of a compacted topic belongs to: the id itself, or the first of a list; None if neither."""
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
    tuning = {"group_id": None, "enable_auto_commit": False, "auto_offset_reset": "earliest"}
    consumer = AIOKafkaConsumer(*topics, **{**tuning, **connection.for_aiokafka()})
    await consumer.start()
    try:
        found = await _alive(consumer, runs)
    finally:
        await consumer.stop()
    if not found:
        return 0
    producer = AIOKafkaProducer(**{"acks": "all", "linger_ms": 20, **connection.for_aiokafka()})
    await producer.start()
    try:
        for topic in topics:
            keys = [key for key in found if key[0].topic == topic]
            for begin in range(0, len(keys), _AT_ONCE):
                await _write(producer, keys[begin : begin + _AT_ONCE])
    finally:
        await producer.stop()
    return len(found)


async def _alive(consumer: AIOKafkaConsumer, runs: set[str]) -> list[_Key]:
    """Return the keys of these runs whose newest record has a value."""
    places = consumer.assignment()
    if not places:
        return []
    ends = await consumer.end_offsets(places)
    newest: dict[_Key, bool] = {}
    moved = time.monotonic()
    while [place for place, end in ends.items() if await consumer.position(place) < end]:
        batches = await consumer.getmany(timeout_ms=_POLL_MS)
        if not batches and time.monotonic() - moved > _STILL_SECONDS:
            raise TimeoutError(f"nothing came for {_STILL_SECONDS:g} s")
        moved = time.monotonic() if batches else moved
        for place, records in batches.items():
            for record in records:
                if run_of(record.key) in runs:
                    newest[place, record.key] = record.value is not None
    return [key for key, alive in newest.items() if alive]


async def _write(producer: AIOKafkaProducer, keys: Iterable[_Key]) -> None:
    sent = [await producer.send(place.topic, None, key, place.partition) for place, key in keys]
    await asyncio.gather(*sent)
