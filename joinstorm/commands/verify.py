"""``joinstorm verify``: an engine's results held against the truth."""

from pathlib import Path

import click

from joinstorm.commands.options import bootstrap_servers, run_id, topic_prefix
from joinstorm.verdict.verdicts import to_json, to_text, write
from joinstorm.verdict.verification import verify
from producers.tape.tapefile import Tape
from streams.errors import EXIT_FAILED, EXIT_OK
from streams.kafka.connection import Connection
from streams.read.reader import ResultReader


@click.command()
@click.option("--engine", default="faust", help="The engine to judge, by the name its results carry.")
@click.option(
    "--tape", type=click.Path(path_type=Path), help="Ask this tape; without it the truth's published results."
)
@bootstrap_servers()
@topic_prefix
@run_id
@click.option("--deadline", type=click.FloatRange(0), default=300.0, help="Seconds to wait for the engine's end.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Also write the verdict there, as JSON.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form on stdout.")
def command(  # noqa: PLR0913, PLR0917 - one argument per option
    engine: str,
    tape: Path | None,
    connection: Connection,
    prefix: str,
    run: str | None,
    deadline: float,
    out: Path | None,
    form: str,
) -> int:
    """Compare every count an engine has published with the truth; exit code 0 only when all are equal.

    It waits for the engine's end. What is missing after the deadline is named, as is every count that differs.
    """
    opened = Tape.open(tape) if tape else None
    with ResultReader(connection, prefix=prefix, run=run) as reader:
        verdict = verify(reader, engine, opened, deadline)
    if out is not None:
        write(verdict, out)
    click.echo(to_text(verdict) if form == "text" else to_json(verdict).decode(), nl=form == "text")
    return EXIT_OK if verdict.exact else EXIT_FAILED
