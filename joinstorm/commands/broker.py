"""``joinstorm broker``: the embedded Kafka until Ctrl-C."""

import time

import click

from joinstorm.output import echo
from streams.errors import EnvironmentMissingError


@click.command()
def command() -> None:
    """Run the embedded Kafka until Ctrl-C.

    Its address is the one line on stdout; other commands reach it with --bootstrap-servers ADDRESS. Its data is deleted
    when it ends.
    """
    from joinstorm.embedded.broker import EmbeddedBroker

    with EmbeddedBroker() as broker:
        echo(broker.connection.bootstrap_servers)
        echo(f"Kafka is running, log: {broker.folder / 'kafka.log'}. Ctrl-C ends it.", err=True)
        while broker.alive():
            time.sleep(0.2)
        raise EnvironmentMissingError(f"the embedded Kafka ended on its own; the end of its log:\n{broker.tail()}")
