"""``joinstorm export``: the exporter as a process of its own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import click

from joinstorm.commands import options
from joinstorm.output import echo
from streams.metrics.labels import TOP_ROOMS

if TYPE_CHECKING:
    from streams.kafka.connection import Connection

DEFAULT_PORT = 9464
POLL_SECONDS = 0.5
"""How often it checks whether its reader is still alive."""


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, help="Port of /metrics; 0: any free port.")
@click.option("--address", default="127.0.0.1", help="Address to listen on; 0.0.0.0: every address.")
@options.bootstrap_servers()
@options.topic_prefix
@options.run_id
@options.remote_write
@click.option("--rooms", type=click.IntRange(0), default=TOP_ROOMS, help="Rooms with series, the most visited ones.")
def command(
    port: int, address: str, connection: Connection, prefix: str, run: str | None, remote_write: str, rooms: int
) -> None:
    """Serve a run's metrics to Prometheus.

    The exporter reads the result topics until Ctrl-C; the address of /metrics goes to stdout. Without --run it follows
    the newest run, and a newer one as soon as it is opened. It may be started before any run. With --remote-write it
    also writes the values of the night into a Prometheus, with event time as their timestamps. In a night of more rooms
    than --rooms, the others have no series of their own; counts over all rooms and errors include them.
    """
    from joinstorm.run.serving import writing
    from streams.exporter.brokermonitor import BrokerMonitor
    from streams.exporter.collector import Exporter
    from streams.read.reader import ResultReader

    forever = threading.Event()
    with (
        ResultReader(connection, prefix=prefix, run=run) as reader,
        BrokerMonitor(connection, reader.topics) as broker,
        Exporter(reader, broker.health, rooms=rooms).serving(port, address, option="--port") as url,
        writing(reader, remote_write, lambda line: echo(line, err=True)) as night,
    ):
        echo(url)
        while not forever.wait(POLL_SECONDS):
            for part in (reader, broker, night):
                if part is not None:
                    part.check()
