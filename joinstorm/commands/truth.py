"""``joinstorm truth``: the true counts of a tape, published as the engine named ``truth``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from joinstorm.commands import options
from joinstorm.output import echo

if TYPE_CHECKING:
    from streams.kafka.connection import Connection


@click.command()
@click.argument("tape", type=click.Path(path_type=Path))
@options.bootstrap_servers()
@options.topic_prefix
@options.run_id
@click.option(
    "--threads", type=click.IntRange(1), default=None, show_default="one per core", help="Threads of the database."
)
@options.output_format()
def command(tape: Path, connection: Connection, prefix: str, run: str | None, threads: int | None, form: str) -> None:
    """Publish the true counts of a tape.

    SQL over TAPE counts the events; the counts go to the result topics as those of the engine named truth. Events that
    the run declares as missing are left out. Verdicts compare with these counts, and boards can show any engine's error
    against them during a run.
    """
    import msgspec

    from joinstorm.oracle import answers as oracle
    from joinstorm.oracle.publishing import publish
    from joinstorm.verdict.declaredfaults import declared
    from joinstorm.verdict.verification import RUN_SECONDS, check_tape
    from producers.tape.tapefile import Tape
    from streams.read.reader import ResultReader

    opened = Tape.open(tape)
    opened.verify()
    with ResultReader(connection, prefix=prefix, run=run) as reader:
        info = reader.wait_for_run(RUN_SECONDS)
    check_tape(info, opened)
    truth = oracle.ask(opened.path, info, exclude=declared(info).missing, threads=threads)
    written = publish(connection, info, truth.records(info))
    events = sum(truth.events.values())
    summary = {"run": info.run, "events": events, "records": written, "digest": truth.digest}
    text = f"truth of run {info.run}: {events:,} events, {written:,} records, digest {truth.digest}"
    echo(text if form == "text" else msgspec.json.encode(summary).decode())
