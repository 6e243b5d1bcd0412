"""One contender of ``joinstorm bench engines``, measured in its own process on one core.

Wall clock time runs from the first record to the last; processor time from the end of the imports to the end of the
run, all threads and children included. (An engine in its own environment imports its library there; that counts.)
"""

import asyncio
import os
import sys
import time
from typing import Any, Final

# Before anything imports them: every contender gets one core.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import faust
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from joinstorm.bench.measurement import Measurement, cpu_seconds, stay_on_one_core
from streams.contract.events import Presence, Tweet
from streams.contract.runinfo import RunInfo
from streams.engines.abstract import WorkerSettings
from streams.engines.registry import load
from streams.kafka.connection import Connection
from streams.read.reader import ResultReader
from streams.system.heap import collect_seldom, keep_freed_memory
from streams.system.scratch import scratch

YARDSTICK: Final = "yardstick"
STOCK: Final = "stock-faust"
RUN_SECONDS: Final = 30.0


async def yardstick(connection: Connection, info: RunInfo) -> Measurement:
    """Fetch with aiokafka's ``getmany`` and decode with msgspec, nothing else: no Faust, no state, no results."""
    decoders = {
        info.names().presence: msgspec.json.Decoder(Presence).decode,
        info.names().tweets: msgspec.json.Decoder(Tweet).decode,
    }
    consumer = AIOKafkaConsumer(
        **connection.for_aiokafka(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 << 20,
        fetch_max_bytes=64 << 20,
        fetch_max_wait_ms=20,
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, part) for topic in decoders for part in range(info.partitions)])
        events, first, cpu = 0, 0.0, time.process_time()
        while events < info.events:
            for partition, records in (await consumer.getmany(timeout_ms=1000, max_records=20_000)).items():
                first = first or time.monotonic()
                decode = decoders[partition.topic]
                for record in records:
                    if record.key is not None:  # marks have none
                        decode(record.value)
                        events += 1
        return Measurement(YARDSTICK, events, time.monotonic() - first, time.process_time() - cpu)
    finally:
        await consumer.stop()


class _StockEvent(faust.Record):  # type: ignore[misc]  # Faust has no types
    kind: str = ""  # a mark has none
    event_id: int = 0
    at: int = 0
    listener: int = 0
    space: str = ""


async def stock(connection: Connection, info: RunInfo, limit: int, label: str) -> Measurement:
    """Count events by kind in an agent over typed records, as in Faust's manual, up to ``limit``."""
    done = asyncio.Event()
    found: dict[str, Any] = {"events": 0, "first": 0.0, "last": 0.0, "kinds": {}}
    with scratch("stock") as folder:
        app = faust.App(
            f"joinstorm-{label}-{info.run}",
            broker=[f"kafka://{server}" for server in connection.servers()],
            datadir=str(folder),
            consumer_auto_offset_reset="earliest",
            topic_disable_leader=True,
            topic_allow_declare=False,
            web_enabled=False,
        )

        async def count(stream: Any) -> None:
            async for event in stream:
                found["first"] = found["first"] or time.monotonic()
                found["kinds"][event.kind] = found["kinds"].get(event.kind, 0) + 1
                found["events"] += 1
                if found["events"] == limit:
                    found["last"] = time.monotonic()
                    done.set()

        app.agent(app.topic(info.names().presence, key_type=bytes, value_type=_StockEvent), name="count")(count)
        app.in_worker = True
        app.finalize()
        cpu = time.process_time()
        await app.start()
        try:
            await done.wait()
            spent = time.process_time() - cpu
        finally:
            await app.stop()
    return Measurement(STOCK, limit, found["last"] - found["first"], spent)


def engine(name: str, connection: Connection, info: RunInfo, label: str, options: dict[str, str]) -> Measurement:
    """Run an engine in full: decode, fold, results, checkpoints.

    Args:
        name: The engine, as given to ``load``. The clock of a program runs from its start.
        connection: Where the broker is.
        info: The run.
        label: The name of its results; with a new one it starts from the beginning.
        options: Its options.
    """
    contender = load(name)
    begin, cpu = time.monotonic(), cpu_seconds()
    with scratch("bench") as folder:
        given = {"state_dir": str(folder), **options}
        summary = contender.run(WorkerSettings(connection=connection, info=info, engine=label, options=given))
    spent, seconds = cpu_seconds() - cpu, summary.seconds or time.monotonic() - begin
    return Measurement(label, summary.events, seconds, spent, complete=summary.ended)


def main(name: str, servers: str, run: str, limit: str, label: str, options: str) -> None:
    """Measure one contender and print it as JSON."""
    stay_on_one_core()
    keep_freed_memory()  # both as every joinstorm command does, workers included
    collect_seldom()
    connection = Connection(servers)
    with ResultReader(connection, run=run) as reader:
        info = reader.wait_for_run(RUN_SECONDS)
    if name == YARDSTICK:
        measured = asyncio.run(yardstick(connection, info))
    elif name == STOCK:
        measured = asyncio.run(stock(connection, info, int(limit), label))
    else:
        measured = engine(name, connection, info, label, msgspec.json.decode(options, type=dict[str, str]))
    print(msgspec.json.encode(measured).decode())  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    main(*sys.argv[1:])
