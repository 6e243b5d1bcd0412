"""One contender of ``joinstorm bench producers``, measured in its own process.

The bare clients have their records ready in memory, encoded and partitioned, and send at full speed. joinstorm sends
from a tape: it reads, encodes, partitions and times every record, and tracks it until the broker has acknowledged it.
"""

import asyncio
import gc
import sys
import time
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
from aiokafka import AIOKafkaProducer
from kafka import KafkaProducer

from joinstorm.bench.measurement import Measurement, cpu_seconds
from producers.compose.composer import Composer
from producers.compose.lanes import Lane
from producers.replay.opening import opened_run
from producers.replay.playback import Replay
from producers.senders.registry import CLIENTS, sender_factory
from producers.tape.tapefile import Tape
from streams.contract.runinfo import RunInfo
from streams.errors import EngineError
from streams.kafka.connection import Connection
from streams.system.heap import collect_seldom, keep_freed_memory

RAW: Final = {"aiokafka": "raw-send_batch", "kafka-python": "raw-kafka-python"}
"""The bare client to which each of ours is compared."""
RAW_RECORDS: Final = {"raw-send_batch": 1_000_000, "raw-kafka-python": 200_000}
"""Records sent by the bare clients: enough for a second or more, and no more than kafka-python can buffer."""
BATCH_BYTES: Final = 1 << 20
_Record: TypeAlias = tuple[bytes | None, bytes, int]


def lanes_of(tape: Tape, info: RunInfo, records: int) -> list[Lane]:
    """Return the first records of a tape by partition, block by block, ready to send."""
    lanes: list[Lane] = []
    for block in Composer(info).compose(tape.blocks()):
        lanes += [lane for lane in block.lanes if len(lane)]
        if sum(map(len, lanes)) >= records:
            break
    return lanes


def _records(lane: Lane) -> list[_Record]:
    return list(zip(lane.keys.to_pylist(), lane.values.to_pylist(), lane.at.tolist(), strict=True))


def _ready(lanes: list[Lane]) -> list[tuple[Lane, list[_Record]]]:
    """Return the records of the lanes; looking for cycles among them would cost a bare client half of its time."""
    ready = [(lane, _records(lane)) for lane in lanes]
    gc.freeze()
    return ready


async def raw_send_batch(connection: Connection, lanes: list[Lane]) -> Measurement:
    """Append the records to batches of 1 MB and send the batches with aiokafka."""
    ready = _ready(lanes)
    producer = AIOKafkaProducer(
        **connection.for_aiokafka(), acks="all", max_batch_size=BATCH_BYTES, max_request_size=2 * BATCH_BYTES
    )
    await producer.start()
    try:
        begun, cpu, sent = time.monotonic(), cpu_seconds(), []
        for lane, records in ready:
            batch = producer.create_batch()
            for key, value, at in records:
                if batch.append(key=key, value=value, timestamp=at) is None:
                    sent.append(await producer.send_batch(batch, lane.topic, partition=lane.partition))
                    batch = producer.create_batch()
                    batch.append(key=key, value=value, timestamp=at)
            sent.append(await producer.send_batch(batch, lane.topic, partition=lane.partition))
        await asyncio.gather(*sent)
        events = sum(map(len, lanes))
        return Measurement(RAW["aiokafka"], events, time.monotonic() - begun, cpu_seconds() - cpu)
    finally:
        await producer.stop()


def raw_kafka_python(connection: Connection, lanes: list[Lane]) -> Measurement:
    """Send every record with kafka-python's ``send``, with batches as large as ours."""
    ready = _ready(lanes)
    producer = KafkaProducer(**connection.for_kafka_python(), acks="all", batch_size=256 << 10, linger_ms=5)
    begun, cpu = time.monotonic(), cpu_seconds()
    for lane, records in ready:
        for key, value, at in records:
            producer.send(lane.topic, value, key, partition=lane.partition, timestamp_ms=at)
    producer.flush()
    measured = Measurement(RAW["kafka-python"], sum(map(len, lanes)), time.monotonic() - begun, cpu_seconds() - cpu)
    producer.close()
    return measured


def replayed(connection: Connection, tape: Tape, info: RunInfo, client: str) -> Measurement:
    """Play the tape at full speed."""
    cpu = cpu_seconds()
    result = Replay(tape, info, sender_factory(client, connection, paced=False)).play()
    return Measurement(client, result.sent, result.seconds, cpu_seconds() - cpu)


def main(name: str, servers: str, run: str, path: str) -> None:
    """Measure one contender and print it as JSON."""
    keep_freed_memory()  # both as every joinstorm command does, and the bare clients as ours
    collect_seldom()
    connection, tape = Connection(servers), Tape.open(Path(path))
    info = opened_run(connection, run)
    if info is None:
        raise EngineError(f"run {run} was not opened")
    if name in CLIENTS:
        measured = replayed(connection, tape, info, name)
    else:
        lanes = lanes_of(tape, info, RAW_RECORDS[name])
        if name == RAW["aiokafka"]:
            measured = asyncio.run(raw_send_batch(connection, lanes))
        else:
            measured = raw_kafka_python(connection, lanes)
    print(msgspec.json.encode(measured).decode())  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    main(*sys.argv[1:])
