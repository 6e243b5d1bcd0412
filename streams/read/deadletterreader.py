"""Reads what engines put aside: the topic of dead letters, each source once."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaError
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError as KafkaPythonError

from streams.contract.deadletters import DeadLetter, read
from streams.contract.runinfo import RunInfo
from streams.contract.topics import DEAD_LETTERS, INPUTS
from streams.errors import BrokerError, ContractError
from streams.kafka.admin import why_unreachable
from streams.kafka.connection import Connection


def letters(
    connection: Connection, prefix: str, complain: Callable[[str], object] = lambda _: None
) -> Iterator[DeadLetter]:
    """Yield what was put aside, in the order in which it first was, each source once per engine.

    Args:
        connection: Where the broker is.
        prefix: What stands before the topic names.
        complain: Told of every record there that is no dead letter.

    Raises:
        BrokerError: Nobody answers, or nothing was ever put aside there.
    """
    found: dict[tuple[str, str], DeadLetter] = {}
    for record in asyncio.run(_read(connection, prefix + DEAD_LETTERS)):
        try:
            letter = read(record.key, record.value, record.headers)
        except ContractError as error:
            complain(f"{record.topic}[{record.partition}]@{record.offset}: {error}")
            continue
        found.setdefault((letter.engine, letter.source), letter)
    yield from found.values()


def letters_of(connection: Connection, info: RunInfo, engine: str) -> list[DeadLetter]:
    """Return what an engine put aside of a run's input topics; those of engines that do not say their name as well."""
    topics = {info.topics[base] for base in INPUTS}
    mine = (one for one in letters(connection, info.prefix) if one.topic in topics and one.engine in {engine, ""})
    return list({one.source: one for one in mine}.values())


def records_on(connection: Connection, info: RunInfo) -> int:
    """Return how many records a run's input topics hold, marks included; raises BrokerError when nobody answers."""
    try:
        with contextlib.closing(KafkaConsumer(**connection.for_kafka_python())) as consumer:
            places = [TopicPartition(info.topics[base], number) for base in INPUTS for number in range(info.partitions)]
            held: int = sum(consumer.end_offsets(places).values())
    except (KafkaPythonError, OSError) as error:
        raise BrokerError(f"{connection.bootstrap_servers}: cannot read the input topics: {error}") from error
    return held


async def _read(connection: Connection, topic: str) -> list[ConsumerRecord]:
    consumer = AIOKafkaConsumer(topic, **connection.for_aiokafka(), group_id=None, auto_offset_reset="earliest")
    started = time.monotonic()
    try:
        try:
            await consumer.start()
        except KafkaError as error:
            raise await why_unreachable(connection, error, time.monotonic() - started) from error
        places = consumer.assignment()
        if not places:
            raise BrokerError(f"{connection.bootstrap_servers}: there is no topic {topic}")
        ends = await consumer.end_offsets(places)
        records: list[ConsumerRecord] = []
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                records += batch
    except (KafkaError, OSError) as error:
        raise BrokerError(f"{connection.bootstrap_servers}: cannot read {topic}: {error}") from error
    else:
        return records
    finally:
        await consumer.stop()
