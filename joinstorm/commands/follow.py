"""``joinstorm follow``: a command for one run after another."""

from pathlib import Path

import click

from joinstorm.commands.options import bootstrap_servers, topic_prefix
from joinstorm.follow.following import Following
from streams.kafka.connection import Connection


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND [OPTIONS]")
@bootstrap_servers()
@topic_prefix
@click.option("--once", is_flag=True, help="Only for the run that is the newest now; exit with the command's code.")
@click.option(
    "--grace", type=click.FloatRange(0), default=30.0, help="Seconds a command keeps after a newer run was opened."
)
@click.option(
    "--keep-runs",
    type=click.IntRange(1),
    default=None,
    help="Forget all runs but so many, the newest.",
)
@click.option(
    "--heartbeat",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Touch this file while all is well.",
)
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
    """Run COMMAND for the newest run, and again for each newer one: ``joinstorm follow stream --engine faust``.

    It may be started before any run. It ends when COMMAND fails, with its exit code.
    """
    following = Following(
        arguments,
        connection,
        prefix,
        grace_seconds=grace,
        keep_runs=keep_runs,
        heartbeat=heartbeat,
        notify=lambda line: click.echo(line, err=True),
    )
    return following.once() if once else following.forever()
