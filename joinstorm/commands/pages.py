"""``joinstorm pages``: a webhook that keeps every notification of an Alertmanager."""

from pathlib import Path

import click

from joinstorm.commands import options
from joinstorm.output import echo

ADDRESS = "Local address to listen on."
PORT = "Port of the webhook and of /metrics; 0: any free port."


@click.command()
@options.out_file("File that keeps them, a line of JSON each; lines are added to one that is there.", required=True)
@click.option("--address", default="127.0.0.1", help=ADDRESS)
@click.option("--port", type=click.IntRange(0, 65535), default=9466, help=PORT)
def command(out: Path, address: str, port: int) -> None:
    """Receive pages and keep them.

    A webhook for Alertmanager, until Ctrl-C: each notification is on disk before it is acknowledged, and shown. What
    arrived is served as metrics at /metrics of the same port.
    """
    import threading

    from joinstorm.pages.receiver import Receiver
    from joinstorm.pages.wording import lines_of

    def show(lines: list[str]) -> None:
        for line in lines:
            echo(line)

    with Receiver(out, address, port, lambda one: show(lines_of(one))) as receiver:
        echo(f"webhook: http://{address}:{receiver.port}/, metrics: /metrics, kept in {out}; Ctrl-C ends", err=True)
        threading.Event().wait()
