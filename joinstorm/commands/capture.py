"""``joinstorm capture``: the records of any topics into a file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from joinstorm.commands import options
from joinstorm.output import echo
from streams.errors import EXIT_FAILED, EXIT_OK, BrokerError, UsageError

if TYPE_CHECKING:
    from producers.capture.capturing import CaptureResult
    from producers.capture.comparing import Comparison
    from producers.capture.digest import Digest
    from streams.kafka.connection import Connection


@click.command()
@click.option("--topic", "topics", multiple=True, metavar="TOPIC", help="Topic to capture; repeatable.")
@options.bootstrap_servers()
@options.out_file("File of the capture.")
@click.option("--from", "begin", default=None, metavar="TIME", help="Capture records from TIME on.")
@click.option("--until", default=None, metavar="TIME", help="Capture records before TIME; wait for it if it is ahead.")
@click.option(
    "--offsets",
    multiple=True,
    metavar="[TOPIC:]PARTITION=FROM..[UNTIL]",
    help="Capture these offsets of this partition alone; repeatable.",
)
@click.option("--count", type=click.IntRange(1), default=None, help="Most records of all partitions together.")
@click.option(
    "--isolation",
    type=click.Choice(("read-committed", "read-uncommitted")),
    default="read-committed",
    help="Whether to leave out records of open and aborted transactions.",
)
@click.option("--resume", is_flag=True, help="Continue the capture that was cut in --out.")
@click.option("--digest", "digested", type=options.FILE, default=None, help="Print the digests of a capture instead.")
@click.option("--verify", "verified", type=options.FILE, default=None, help="Compare --topic with a capture instead.")
@options.output_format()
def command(  # noqa: PLR0913, PLR0917 - one argument per option
    topics: tuple[str, ...],
    connection: Connection,
    out: Path | None,
    begin: str | None,
    until: str | None,
    offsets: tuple[str, ...],
    count: int | None,
    isolation: str,
    resume: bool,
    digested: Path | None,
    verified: Path | None,
    form: str,
) -> int:
    """Capture the records of any topics.

    Keys, values, headers, timestamps, partitions and order are kept as they are, whatever the records hold; `joinstorm
    replay` plays the file. The end is the one that each topic has when the capture begins, unless bounds say otherwise.
    TIME is a time (2026-11-29T22:05:00Z) or an offset from now (-1h, +10m). While it is not complete, the file is
    called OUT.part; --resume continues it.
    """
    from joinstorm.terminal.capturebar import capture_progress, reading_progress
    from producers.capture.planning import Bounds

    bounds = Bounds(begin, until, offsets, count, committed=isolation == "read-committed")
    if digested is not None:
        from producers.capture.comparing import file_digests

        _refuse("--digest", out=out, topic=topics, resume=resume, bounds=bounds != Bounds(), verify=verified)
        with reading_progress("reading") as progress:
            _show(file_digests(digested, progress), form)
        return EXIT_OK
    if verified is not None:
        from producers.capture.comparing import compare

        _refuse("--verify", out=out, resume=resume)
        with reading_progress("comparing") as progress:
            found = compare(connection, verified, topics, bounds, progress)
        return _compared(found, form)
    if out is None or not (topics or resume):
        raise UsageError("expected --topic TOPIC and --out FILE")
    from joinstorm.interrupts import InterruptedRun
    from producers.capture.capturewriter import part_of
    from producers.capture.capturing import CaptureRequest, capture

    request = CaptureRequest(connection, out, topics, bounds, resume=resume)
    try:
        with capture_progress() as show:
            result = capture(request, show)
    except (InterruptedRun, BrokerError):
        if (part := part_of(out)).exists():
            echo(f"joinstorm: {part} has what was captured; continue it with --resume", err=True)
        raise
    echo(json.dumps(asdict(result)) if form == "json" else _text(result))
    return EXIT_OK


def _refuse(option: str, **others: object) -> None:
    given = next((name for name, value in others.items() if value), None)
    if given is not None:
        named = "bounds" if given == "bounds" else f"--{given}"
        raise UsageError(f"{option} and {named} exclude each other")


def _text(result: CaptureResult) -> str:
    topics = ", ".join(f"{topic} ({count} partitions)" for topic, count in result.topics.items())
    return (
        f"{result.path}: {result.records:,} records of {topics}, {result.bytes / 1e6:,.1f} MB, "
        f"{result.added:,} of them now, in {result.seconds:.1f} s ({result.records_per_second:,.0f} records/s)"
    )


def _show(digests: dict[str, Digest], form: str) -> None:
    if form == "json":
        echo(json.dumps({topic: asdict(one) for topic, one in digests.items()}))
        return
    for topic, one in digests.items():
        echo(f"{topic}: {one.records:,} records\n  digest  {one.digest}\n  content {one.content}")


def _compared(found: list[Comparison], form: str) -> int:
    if form == "json":
        echo(json.dumps([asdict(one) | {"outcome": one.outcome} for one in found]))
    else:
        for one in found:
            echo(one.text())
    return EXIT_OK if all(one.equal for one in found) else EXIT_FAILED
