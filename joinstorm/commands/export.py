"""``joinstorm export``: the exporter as a process of its own."""

import threading

import click

from joinstorm.commands.options import bootstrap_servers, run_id, topic_prefix
from streams.exporter.brokermonitor import BrokerMonitor
from streams.exporter.collector import Exporter
from streams.kafka.connection import Connection
from streams.read.reader import ResultReader

DEFAULT_PORT = 9464
LOOK_SECONDS = 0.5
"""How often it looks whether its reader still lives."""


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, help="Serve /metrics here; 0: any port.")
@click.option("--address", default="127.0.0.1", help="Local address to listen on; 0.0.0.0 for all.")
@bootstrap_servers()
@topic_prefix
@run_id
def command(port: int, address: str, connection: Connection, prefix: str, run: str | None) -> None:
    """Read the result topics and serve /metrics for Prometheus until Ctrl-C; the page's address goes to stdout.

    Without --run it follows the newest run, and a newer one as soon as there is one. It may be started before any run.
    """
    forever = threading.Event()
    with (
        ResultReader(connection, prefix=prefix, run=run) as reader,
        BrokerMonitor(connection, reader.topics) as broker,
        Exporter(reader, broker.look).serving(port, address, option="--port") as url,
    ):
        click.echo(url)
        while not forever.wait(LOOK_SECONDS):
            reader.check()
