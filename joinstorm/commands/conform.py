"""``joinstorm conform``: hold an engine to the contract, point by point."""

from datetime import UTC, datetime
from pathlib import Path

import click

from joinstorm.bench.machine import machine
from joinstorm.commands.options import bootstrap_servers, engine_options
from joinstorm.conformance.certificate import Certificate, PointOutcome, choose, conform
from joinstorm.conformance.certificatereport import line_of, to_json, to_text, write
from joinstorm.conformance.points import POINTS
from joinstorm.embedded.workplace import broker_for, folder_for
from joinstorm.engines.catalog import engine_under_test, entry, version_of
from joinstorm.run.versions import versions
from streams.errors import EXIT_FAILED, EXIT_OK
from streams.kafka.connection import Connection

NAMES = ", ".join(point.name for point in POINTS)


@click.command(epilog=f"Points: {NAMES}.")
@click.argument("engine")
@click.option("--name", default="", help="The name its results stand under; the engine's own if not given.")
@engine_options
@click.option("--point", "points", multiple=True, metavar="NAME", help="Only this point; several times for several.")
@click.option("--jobs", type=click.IntRange(1), default=1, help="Points played at once.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for the certificate and the logs."
)
@bootstrap_servers(embedded=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the certificate.")
def command(  # noqa: PLR0913, PLR0917 - one argument per option
    engine: str,
    name: str,
    options: dict[str, str],
    points: tuple[str, ...],
    jobs: int,
    out: Path | None,
    connection: Connection | None,
    form: str,
) -> int:
    """Hold ENGINE (a name, module:Class or file.py:Class) to the contract of docs/adding-an-engine.md.

    Every point is a run of its own: golden nights, duplicates, disorder, late events, silent partitions, corrupt
    records, a restart, SIGKILL, a second worker, the end. Exit code 0 when every point it supports is exact.
    """
    chosen = choose(points)
    tested = engine_under_test(engine, shown_as=name, options=options)
    with folder_for(out) as folder, broker_for(connection) as broker:
        outcomes = conform(broker, tested, folder, points=chosen, jobs=jobs, notify=_print_outcome)
    library = version_of(engine) if ":" not in engine else ""
    certificate = Certificate(
        engine=tested.name,
        outcomes=outcomes,
        versions={**versions(), **({"engine": library} if library else {})},
        machine=machine(),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        limits=entry(engine).limits,
    )
    if out is not None:
        write(certificate, out)
    click.echo(to_text(certificate) if form == "text" else to_json(certificate).decode(), nl=form == "text")
    return EXIT_OK if certificate.exact else EXIT_FAILED


def _print_outcome(outcome: PointOutcome) -> None:
    click.echo(line_of(outcome), err=True)
