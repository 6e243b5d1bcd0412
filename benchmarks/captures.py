"""How fast topics are captured, played and compared, and how much of a paced replay is on time.

    python -m benchmarks.captures --records 10000000 --hours 2

Fills a topic with records of about 100 bytes: JSON, every tenth with a header, every fiftieth a tombstone. Captures it,
plays the capture at full speed into another topic, compares, and plays it once more at --speed. Each step is a command
of joinstorm in a process of its own; --bootstrap-servers takes another Kafka than the embedded one.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
import psutil
import pyarrow as pa
import pyarrow.compute as pc

from joinstorm.embedded.broker import EmbeddedBroker
from joinstorm.interrupts import interruptible
from producers.capture.captureformat import HEADERS
from producers.capture.columns import encoded_headers
from producers.compose.lanes import Lane
from producers.replay.topiccreation import ensure_topics
from producers.senders.registry import sender_factory
from streams.contract.topics import TopicSpec
from streams.errors import DeliveryError
from streams.kafka.connection import Connection, connection_from
from streams.system.scratch import scratch

PARTITIONS = 4
PORTION = 20_000
BEGIN = 1_700_000_000_000
TOMBSTONE = 50
"""One of so many records is a tombstone."""


class Failures:
    """The listener of a sender that must deliver everything."""

    def left(self, lane: Lane, wall: float) -> None:
        """Nothing is measured."""

    def settled(self, lane: Lane, wall: float, failed: Mapping[str, int]) -> None:  # noqa: ARG002 - the protocol's
        """Fail on any failure."""
        if failed:
            raise DeliveryError(f"{lane.topic}: {dict(failed)}")


def lane_of(topic: str, partition: int, first: int, length_ms: float) -> Lane:
    """Return records ``first`` and following; each is ``length_ms`` later than the one before."""
    ids = np.arange(first, first + PORTION)
    at = (BEGIN + ids * length_ms).astype(np.int64)
    number, moment, key = (pa.array(column).cast(pa.string()) for column in (ids, at, ids * 7_919 % 5_003))
    text = pc.binary_join_element_wise(
        '{"id":', number, ',"at":', moment, ',"kind":"view","page":"/items/', key, '","agent":"Mozilla/5.0"}', ""
    )
    values = pc.if_else(pa.array(ids % TOMBSTONE == 1), None, text).cast(pa.binary())
    offsets = pa.array(np.cumsum(np.append(0, ids % 10 == 0)).astype(np.int32))
    names = pa.array([b"trace"] * int(offsets[-1].as_py()), pa.binary())
    traces = number.filter(pa.array(ids % 10 == 0)).cast(pa.binary())
    struct = pa.StructArray.from_arrays([names, traces], fields=list(HEADERS.value_type))
    headers = encoded_headers(pa.ListArray.from_arrays(offsets, struct, type=HEADERS))
    return Lane(topic, partition, at, at, ids, key.cast(pa.binary()), values, headers)


def fill(connection: Connection, topic: str, records: int, hours: float) -> None:
    """Fill a new topic with records that reach over so many hours."""
    ensure_topics(connection, [TopicSpec(topic, PARTITIONS, {"retention.ms": "-1"})], [], replication=1)
    sender = sender_factory("kafka-python", connection, paced=False)(Failures())
    for number, first in enumerate(range(0, records, PORTION)):
        while not sender.room():
            sender.wait(0.01)
        sender.send(lane_of(topic, number % PARTITIONS, first, hours * 3_600_000 / records))
        sender.wait(0.0)
    sender.close(60)


def timed(connection: Connection, *words: object) -> tuple[Any, float, float]:
    """Run a command; return what it printed as JSON, its seconds of processor time and those of the clock."""
    started = time.monotonic()
    command = [sys.executable, "-m", "joinstorm.cli", *map(str, words), "--format", "json"]
    servers = ("--bootstrap-servers", connection.bootstrap_servers)
    before = psutil.Process().cpu_times()
    done = subprocess.run([*command, *servers], stdout=subprocess.PIPE, check=True)
    after = psutil.Process().cpu_times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return json.loads(done.stdout), spent, time.monotonic() - started


def report(what: str, records: int, spent: float, seconds: float, more: str = "") -> None:
    """Print a line."""
    rates = f"{records / seconds:>10,.0f} records/s {records / spent:>10,.0f} per CPU second"
    print(f"{what:<8} {rates} ({seconds:.1f} s, of them {spent:.1f} s CPU, start included){more}", flush=True)


def measure(connection: Connection, folder: Path, records: int, hours: float, speed: float) -> None:
    """Measure every step."""
    topic, path = f"captures-{uuid.uuid4().hex[:8]}", folder / "benchmark.capture"
    fill(connection, topic, records, hours)
    found, spent, seconds = timed(connection, "capture", "--topic", topic, "--out", path)
    rate = f"; without its start {found['records_per_second']:,.0f} records/s; {found['bytes'] / 1e6:,.0f} MB"
    report("capture", records, spent, seconds, rate)
    found, spent, seconds = timed(connection, "replay", path, "--topic", f"{topic}.copy", "--speed", "max")
    report("replay", records, spent, seconds, f"; without its start {found['events_per_second']:,.0f} records/s")
    found, spent, seconds = timed(connection, "capture", "--verify", path, "--topic", f"{topic}.copy")
    report("verify", records, spent, seconds, f"; {found[0]['outcome']}, {found[0]['found']['records']:,} records")
    found, _, seconds = timed(connection, "replay", path, "--topic", f"{topic}.paced", "--speed", speed)
    print(
        f"paced    at {speed:g} x, {records / seconds:,.0f} records/s: {found['on_time_ratio']:.2%} within 100 ms, "
        f"{found['lateness_p50'] * 1000:.1f} ms in the median, {found['lateness_p99'] * 1000:.1f} ms at 99 %"
    )


@contextlib.contextmanager
def kafka(servers: str | None) -> Iterator[Connection]:
    """Yield a connection to a given Kafka, or to an embedded one."""
    if servers:
        yield connection_from(servers, os.environ)
        return
    with EmbeddedBroker() as broker:
        yield broker.connection


@click.command()
@click.option("--records", type=click.IntRange(PORTION), default=10_000_000, show_default=True)
@click.option("--hours", type=float, default=2.0, show_default=True, help="Time that the records reach over.")
@click.option("--speed", type=float, default=60.0, show_default=True, help="Speed of the paced replay.")
@click.option("--bootstrap-servers", default=None, help="Kafka; an embedded one by default.")
def main(records: int, hours: float, speed: float, bootstrap_servers: str | None) -> None:
    """Measure captures."""
    with interruptible(), kafka(bootstrap_servers) as connection, scratch("captures") as folder:
        measure(connection, folder, records // PORTION * PORTION, hours, speed)


if __name__ == "__main__":
    main()
