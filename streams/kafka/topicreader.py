"""Reads topics from their first record to their current end, without a consumer group."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from kafka import KafkaConsumer
from kafka import TopicPartition as KafkaPythonPartition
from kafka.errors import KafkaError as KafkaPythonError

from streams.contract.runinfo import RunInfo
from streams.contract.topics import INPUTS
from streams.errors import BrokerError
from streams.kafka.admin import failed, why_unreachable
from streams.kafka.connection import Connection
from streams.kafka.places import partitions_of

_TUNING: Final[dict[str, Any]] = {
    "group_id": None,
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "fetch_max_wait_ms": 100,
    "max_partition_fetch_bytes": 4 << 20,
}
_POLL_MS: Final = 200
STILL_SECONDS: Final = 60.0
"""Longest wait for the next record."""


def read_all(connection: Connection, *topics: str) -> list[ConsumerRecord]:
    """Return every record of the topics; raises like ``read_topics``, and must not be called in an event loop."""
    found: list[ConsumerRecord] = []
    asyncio.run(read_topics(connection, topics, lambda _, records: found.extend(records)))
    return found


async def read_topics(
    connection: Connection,
    topics: Collection[str],
    accept: Callable[[TopicPartition, list[ConsumerRecord]], object],
    *,
    partitions: Collection[int] | None = None,
    skip_missing: bool = False,
    still_seconds: float = STILL_SECONDS,
) -> None:
    """Pass the records of topics to ``accept``, in batches of one partition, in the order of their offsets.

    Args:
        connection: Where the broker is.
        topics: Full names.
        accept: Called with each batch.
        partitions: Numbers of the partitions to read; all of them if not given.
        skip_missing: Whether topics that do not exist are skipped.
        still_seconds: Longest wait for the next record.

    Raises:
        BrokerError: The broker does not answer, a topic does not exist, or reading has stalled.
    """
    consumer = AIOKafkaConsumer(**{**_TUNING, **connection.for_aiokafka()})
    started = time.monotonic()
    try:
        try:
            await consumer.start()
        except KafkaError as error:
            raise await why_unreachable(connection, error, time.monotonic() - started) from error
        known = await partitions_of(consumer, topics)
        missing = set(topics) - set(known)
        if missing and not skip_missing:
            raise BrokerError(f"{connection.bootstrap_servers}: there is no topic {', '.join(sorted(missing))}")
        places = [place for found in known.values() for place in found]
        if places:
            consumer.assign([place for place in places if partitions is None or place.partition in partitions])
            await _drain(consumer, accept, still_seconds)
    except (KafkaError, OSError) as error:
        raise failed(connection, f"cannot read {', '.join(topics)}", error) from error
    finally:
        await consumer.stop()


async def _drain(
    consumer: AIOKafkaConsumer,
    accept: Callable[[TopicPartition, list[ConsumerRecord]], object],
    still_seconds: float,
) -> None:
    ends = await consumer.end_offsets(consumer.assignment())
    moved = time.monotonic()
    while [place for place, end in ends.items() if await consumer.position(place) < end]:
        batches = await consumer.getmany(timeout_ms=_POLL_MS)
        for place, records in batches.items():
            accept(place, records)
        if batches:
            moved = time.monotonic()
        elif time.monotonic() - moved > still_seconds:
            raise TimeoutError(f"no record for {still_seconds:g} s")


def count_input_records(connection: Connection, info: RunInfo) -> int:
    """Return how many records a run's input topics hold, marks included.

    Raises:
        BrokerError: The broker does not answer.
    """
    places = [KafkaPythonPartition(info.topics[base], number) for base in INPUTS for number in range(info.partitions)]
    try:
        with contextlib.closing(KafkaConsumer(**connection.for_kafka_python())) as consumer:
            held: int = sum(consumer.end_offsets(places).values())
    except (KafkaPythonError, OSError) as error:
        raise failed(connection, "cannot read the input topics", error) from error
    return held
