"""``joinstorm follow``: a command for one run after another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from joinstorm.commands import options
from joinstorm.output import echo

if TYPE_CHECKING:
    from streams.kafka.connection import Connection


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND [OPTIONS]")
@options.bootstrap_servers()
@options.topic_prefix
@click.option("--once", is_flag=True, help="Run the command for one run only, and exit with its code.")
@click.option(
    "--grace",
    type=click.FloatRange(0),
    default=30.0,
    help="Seconds the command may go on after a newer run was opened.",
)
@click.option("--keep-runs", type=click.IntRange(1), default=None, help="Delete all runs but this many of the newest.")
@click.option("--heartbeat", type=options.FILE, default=None, help="File to touch while all is well.")
def command(
    arguments: tuple[str, ...],
    connection: Connection,
    prefix: str,
    *,
    once: bool,
    grace: float,
    keep_runs: int | None,
    heartbeat: Path | None,
) -> int:
    """Repeat a command for every new run.

    COMMAND runs for the newest run, and again for each newer one: `joinstorm follow stream --engine faust`. It may be
    started before any run. It ends when COMMAND fails, with its exit code.
    """
    from joinstorm.follow.following import Following

    following = Following(
        arguments,
        connection,
        prefix,
        grace_seconds=grace,
        keep_runs=keep_runs,
        heartbeat=heartbeat,
        notify=lambda line: echo(line, err=True),
    )
    return following.once() if once else following.forever()
