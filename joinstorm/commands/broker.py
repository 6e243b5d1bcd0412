"""``joinstorm broker``: the embedded Kafka until Ctrl-C."""

import time

import click

from joinstorm.embedded.broker import EmbeddedBroker
from streams.errors import EnvironmentMissingError


@click.command()
def command() -> None:
    """Run the embedded Kafka until Ctrl-C; its address is the one line on stdout.

    Its data is gone when it ends. Other commands reach it with --bootstrap-servers ADDRESS.
    """
    with EmbeddedBroker() as broker:
        click.echo(broker.connection.bootstrap_servers)
        click.echo(f"Kafka is running, log: {broker.folder / 'kafka.log'}. Ctrl-C ends it.", err=True)
        while broker.alive():
            time.sleep(0.2)
        raise EnvironmentMissingError(f"the embedded Kafka ended on its own; the end of its log:\n{broker.tail()}")
