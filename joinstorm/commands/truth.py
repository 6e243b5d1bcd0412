"""``joinstorm truth``: the answers, asked of a tape in SQL and published as the engine named ``truth``."""

from pathlib import Path

import click
import msgspec

from joinstorm.commands.options import bootstrap_servers, run_id, topic_prefix
from joinstorm.oracle import answers as oracle
from joinstorm.oracle.publishing import publish
from joinstorm.verdict.declaredfaults import declared
from joinstorm.verdict.verification import RUN_SECONDS, check_tape
from producers.tape.tapefile import Tape
from streams.kafka.connection import Connection
from streams.read.reader import ResultReader


@click.command()
@click.argument("tape", type=click.Path(path_type=Path))
@bootstrap_servers()
@topic_prefix
@run_id
@click.option("--threads", type=click.IntRange(1), default=None, help="Threads of the database; all if not given.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the summary.")
def command(tape: Path, connection: Connection, prefix: str, run: str | None, threads: int | None, form: str) -> None:
    """Count TAPE by SQL and write the counts to the result topics, as the engine named truth.

    Events that the run declares as missing are left out. A verdict is a comparison with the counts; a board can show
    any engine's error against them while it runs.
    """
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
    click.echo(text if form == "text" else msgspec.json.encode(summary).decode())
