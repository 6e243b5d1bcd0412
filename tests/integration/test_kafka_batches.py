"""Whole batches by kafka-python on a real broker: the same records as by ``send``, whatever the topic asks for."""

from collections.abc import Iterator

import pytest

from producers.compose.lanes import Lane
from producers.replay.topiccreation import ensure_topics
from producers.senders import kafka_python
from producers.senders.kafka_python import KafkaBatchSender, open_sender
from producers.senders.kafka_records import KafkaRecordSender
from producers.senders.protocol import Sender
from producers.senders.recordbatch import PACK_FROM
from streams.contract.topics import TopicSpec
from streams.kafka.connection import Connection
from tests.fakekafka import Deliveries, Record, lane
from tests.replaying import read_topics

pytestmark = pytest.mark.integration

PARTITIONS = 2
SIZES = (1, PACK_FROM - 1, PACK_FROM, 7, 9_000, 3, 20_000)
"""Hand-overs from one record to several batches."""


def records(partition: int) -> list[Record]:
    """Return records of many sizes, with and without keys, their times out of order."""
    return [
        (1_700_000_000_000 + (number * 7_919) % 100_000, None if number % 11 == 0 else b"%d" % number,
         b"%d:%d:" % (partition, number) + b"x" * (number * 31 % 300))
        for number in range(sum(SIZES))
    ]  # fmt: skip


def hand_overs(topic: str) -> Iterator[Lane]:
    """Yield the records of every partition, in portions."""
    for partition in range(PARTITIONS):
        rest = records(partition)
        for size in SIZES:
            made, rest = lane(rest[:size], partition), rest[size:]
            yield Lane(topic, partition, made.due, made.at, made.rows, made.keys, made.values)


def send_all(sender: Sender, topic: str) -> None:
    """Send everything and close."""
    for one in hand_overs(topic):
        while not sender.room():
            sender.wait(0.01)
        sender.send(one)
        sender.wait(0.0)
    sender.close(60)


def made(kafka: Connection, name: str, **configs: str) -> str:
    """Make a topic."""
    ensure_topics(kafka, [TopicSpec(name, PARTITIONS, configs)], [], replication=1)
    return name


@pytest.mark.parametrize(
    "configs",
    [{}, {"compression.type": "gzip"}, {"max.message.bytes": "60000"}],
    ids=["plain", "compressed by the broker", "no batch as large as ours"],
)
def test_batches_hold_what_single_records_hold(kafka: Connection, unique_run: str, configs: dict[str, str]) -> None:
    """Keys, values, times, no headers, no gap in the offsets: the same by batches as by ``send``."""
    topics = [made(kafka, f"{unique_run}-{way}", **configs) for way in ("batches", "records")]
    deliveries = Deliveries()
    batches = open_sender(kafka, deliveries, paced=False)
    assert isinstance(batches, KafkaBatchSender)
    send_all(batches, topics[0])
    assert (len(deliveries.settled_rows), deliveries.failed) == (PARTITIONS * sum(SIZES), {})
    single = KafkaRecordSender(kafka_python._producer(kafka, linger_ms=5, batch_size=50_000), Deliveries())
    send_all(single, topics[1])
    found = read_topics(kafka, topics, PARTITIONS)
    for partition in range(PARTITIONS):
        assert found[topics[0], partition] == found[topics[1], partition] == records(partition)
