"""``joinstorm verify``: an engine's results compared with the truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from joinstorm.commands import options
from joinstorm.output import echo
from streams.errors import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    from streams.kafka.connection import Connection


@click.command()
@options.engine("Engine to verify, by the name of its results.")
@options.tape("Tape to compare with.", shown="the published truth")
@options.bootstrap_servers()
@options.topic_prefix
@options.run_id
@options.deadline
@options.out_file("File to write the verdict to as well, as JSON.")
@options.output_format()
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
    """Compare an engine's counts with the truth.

    It waits until the engine has finished. Counts that are missing after the deadline are named, as is every count that
    differs. Exit code 0 only when all are equal.
    """
    from joinstorm.verdict.verdicts import to_json, to_text, write
    from joinstorm.verdict.verification import verify
    from producers.tape.tapefile import Tape
    from streams.read.reader import ResultReader

    opened = Tape.open(tape) if tape else None
    with ResultReader(connection, prefix=prefix, run=run) as reader:
        verdict = verify(reader, engine, opened, deadline)
    if out is not None:
        write(verdict, out)
    echo(to_text(verdict) if form == "text" else to_json(verdict).decode(), nl=form == "text")
    return EXIT_OK if verdict.exact else EXIT_FAILED
