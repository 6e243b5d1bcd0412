"""``joinstorm truth``: the true counts of a tape, published as the engine named ``truth``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from joinstorm.commands import options
from joinstorm.output import echo

if TYPE_CHECKING:
    from producers.tape.tapeformat import TapeInfo
    from streams.contract.runinfo import RunInfo
    from streams.kafka.connection import Connection


@click.command()
@click.argument("tape", type=click.Path(path_type=Path))
@options.bootstrap_servers()
@options.topic_prefix
@options.run_id
@click.option(
    "--threads", type=click.IntRange(1), default=None, show_default="one per core", help="Threads of the database."
)
@click.option(
    "--ahead",
    is_flag=True,
    help="Only count and keep the answers, for a run with the default windows and no missing events; no broker needed.",
)
@options.output_format()
def command(
    *,
    tape: Path,
    connection: Connection,
    prefix: str,
    run: str | None,
    threads: int | None,
    ahead: bool,
    form: str,
) -> None:
    """Publish the true counts of a tape.

    SQL over TAPE counts the events; the counts go to the result topics as those of the engine named truth. Events that
    the run declares as missing are left out. Verdicts compare with these counts, and boards can show any engine's error
    against them during a run. The answers are kept in the cache folder under the tape's hash, so that a tape is counted
    once.
    """
    from joinstorm.oracle.keeping import kept_or_asked
    from joinstorm.oracle.publishing import publish
    from joinstorm.verdict.declaredfaults import declared
    from joinstorm.verdict.verification import RUN_SECONDS, check_tape
    from producers.tape.tapefile import Tape
    from streams.read.reader import ResultReader

    opened = Tape.open(tape)
    if ahead:
        info = _default_run(opened.info)
    else:
        with ResultReader(connection, prefix=prefix, run=run) as reader:
            info = reader.wait_for_run(RUN_SECONDS)
        check_tape(info, opened)
    missing = declared(info).missing
    truth = kept_or_asked(opened.path, info, opened.verify, exclude=missing, threads=threads)
    events = sum(truth.events.values())
    written = 0 if ahead else publish(connection, info, truth.records(info))
    if form == "json":
        echo(_json(None if ahead else info.run, events, written, truth.digest))
    elif ahead:
        echo(f"{tape}: {events:,} events counted, digest {truth.digest}")
    else:
        echo(f"truth of run {info.run}: {events:,} events, {written:,} records, digest {truth.digest}")


def _json(run: str | None, events: int, records: int, digest: str) -> str:
    import msgspec

    return msgspec.json.encode({"run": run, "events": events, "records": records, "digest": digest}).decode()


def _default_run(tape: TapeInfo) -> RunInfo:
    """Return the run information of a tape played with every default; its topics are never opened."""
    from producers.replay.opening import run_info
    from streams.contract.runinfo import DEFAULT_WINDOW_MS
    from streams.contract.topics import DEFAULT_PARTITIONS, Topics

    return run_info(
        tape,
        Topics("ahead"),
        partitions=DEFAULT_PARTITIONS,
        window_ms=DEFAULT_WINDOW_MS,
        watermark_step_ms=DEFAULT_WINDOW_MS,
    )
