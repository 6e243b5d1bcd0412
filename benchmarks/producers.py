"""How fast each client sends a tape, beside aiokafka's bare ``send_batch``, and the largest speed that stays on time.

    python benchmarks/producers.py TAPE [--bootstrap-servers HOST:PORT] [--clients …] [--speeds 60,240,…] [--profile]

Every figure is of this run, on one broker: the embedded one, unless an address is given.
"""

import asyncio
import contextlib
import cProfile
import io
import pstats
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import click
from aiokafka import AIOKafkaProducer

from joinstorm.broker import EmbeddedBroker
from producers.opening import open_run
from producers.replay import Replay, Result, Settings
from producers.schedule import default_watermark_step
from producers.senders.registry import CLIENTS, sender_factory
from producers.tape import Tape
from streams.connection import Connection

RAW_RECORDS = 1_000_000
RAW_VALUE = (
    b'{"event_id":123456,"at":1684965600000,"kind":"join","listener":1234,"space":"first","client":"ios","try":1,"v":1}'
)
RAW_BATCH_BYTES = 1 << 20
RAW_PARTITIONS = 4


@contextlib.contextmanager
def broker(address: str | None) -> Iterator[Connection]:
    """Yield a broker: the given one, else an embedded one."""
    if address:
        yield Connection(address)
    else:
        with EmbeddedBroker() as embedded:
            yield embedded.connection


def replay(tape: Tape, connection: Connection, client: str, speed: float, *, skip_quiet: bool = True) -> Result:
    """Play a tape into a run of its own."""
    step = default_watermark_step(speed)
    info = open_run(connection, tape.info, run=f"bench-{uuid.uuid4().hex[:8]}", watermark_step_ms=step)
    make = sender_factory(client, connection, paced=speed > 0)
    return Replay(tape, info, make, settings=Settings(speed=speed, skip_quiet=skip_quiet)).play()


async def raw_send_batch(connection: Connection, topic: str) -> float:
    """Return records a second of the bare client: one record appended again and again, batches of 1 MB, no pacing."""
    producer = AIOKafkaProducer(acks="all", **connection.for_aiokafka())
    await producer.start()
    started = time.monotonic()
    waiting = []
    for number in range(0, RAW_RECORDS, 8_000):
        batch = producer.create_batch()
        batch._builder._batch_size = RAW_BATCH_BYTES  # noqa: SLF001 - the only way to a batch of another size than 16 KiB
        for record in range(8_000):
            batch.append(key=b"123456", value=RAW_VALUE, timestamp=1_684_965_600_000 + record)
        batch.close()
        waiting.append(await producer.send_batch(batch, topic, partition=number // 8_000 % RAW_PARTITIONS))
    await asyncio.gather(*waiting)
    seconds = time.monotonic() - started
    await producer.stop()
    return RAW_RECORDS / seconds


def profiled(tape: Tape, connection: Connection, client: str) -> str:
    """Return where the sending thread's time goes at full speed."""
    profile = cProfile.Profile()
    profile.enable()
    replay(tape, connection, client, 0.0)
    profile.disable()
    text = io.StringIO()
    pstats.Stats(profile, stream=text).sort_stats("tottime").print_stats(20)
    return text.getvalue()


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--bootstrap-servers", "address", default=None)
@click.option("--clients", default=",".join(CLIENTS))
@click.option("--speeds", default="", help="Speeds to try, ascending; stops at the first that is late.")
@click.option("--profile", is_flag=True)
def main(path: Path, address: str | None, clients: str, speeds: str, profile: bool) -> None:
    """Measure."""
    tape = Tape.open(path)
    with broker(address) as connection:
        bare = open_run(connection, tape.info, run=f"raw-{uuid.uuid4().hex[:8]}", partitions=RAW_PARTITIONS)
        raw = asyncio.run(raw_send_batch(connection, bare.names().presence))
        print(f"raw send_batch: {raw:,.0f} records/s")
        for client in clients.split(","):
            result = replay(tape, connection, client, 0.0)
            rate = result.events_per_second
            print(f"{client}: {rate:,.0f} events/s at full speed ({result.sent:,} events, {rate / raw:.2f} x raw)")
            for speed in (float(one) for one in speeds.split(",") if one):
                paced = replay(tape, connection, client, speed)
                print(
                    f"{client} at {speed:g}x: {paced.on_time_ratio:.2%} on time, 99 % within "
                    f"{paced.lateness_p99 * 1000:.1f} ms, acknowledged within {paced.acknowledged_p99 * 1000:.1f} ms, "
                    f"{paced.seconds:.0f} s"
                )
                if paced.on_time_ratio < 0.99:  # noqa: PLR2004 - what the verdict calls on time
                    break
            if profile:
                print(profiled(tape, connection, client))


if __name__ == "__main__":
    main()
