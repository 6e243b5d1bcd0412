"""``joinstorm conform``: certify an engine against the contract, point by point."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from joinstorm.commands import options
from joinstorm.interrupts import InterruptedRun
from joinstorm.output import echo
from streams.errors import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    from joinstorm.conformance.certificate import PointOutcome
    from streams.kafka.connection import Connection

POINTS = (
    "golden-doors",
    "golden-waiting",
    "golden-thread",
    "golden-entry",
    "golden-clients",
    "golden-edges",
    "clean",
    "duplicates",
    "out-of-order",
    "late",
    "idle-partition",
    "corrupt",
    "durations",
    "breakdowns",
    "marks",
    "end",
    "restart",
    "kill",
    "versions",
    "second-worker",
)
"""Spelled here so that --help loads no room; a test compares them with ``joinstorm.conformance.points``."""


@click.command(epilog=f"Points: {', '.join(POINTS)}.")
@click.argument("engine")
@options.engine_name
@options.engine_options
@click.option("--point", "points", multiple=True, metavar="NAME", help="Check only this point; repeatable.")
@click.option("--jobs", type=click.IntRange(1), default=1, help="Points to check at once.")
@click.option(
    "--deadline",
    type=click.FloatRange(1),
    default=None,
    show_default="the engine's own; 20 in golden nights",
    help="Seconds that each step of a point may take.",
)
@options.out_folder("Folder for the certificate and the logs.")
@options.bootstrap_servers(embedded=True)
@options.output_format()
def command(  # noqa: PLR0913, PLR0917 - one argument per option
    engine: str,
    name: str | None,
    options: dict[str, str],
    points: tuple[str, ...],
    jobs: int,
    deadline: float | None,
    out: Path | None,
    connection: Connection | None,
    form: str,
) -> int:
    """Certify an engine against the contract.

    ENGINE is a name, module:Class, file.py:Class, external:COMMAND or an engine.toml; docs/adding-an-engine.md has the
    contract. Every point is a run of its own: golden nights, duplicates, disorder, late events, silent partitions,
    corrupt records, marks, a restart, SIGKILL, corrections after it, a second worker, the end. Exit code 0 when every
    point that was played and that the engine supports is exact. An interrupted command certifies what it has played.
    """
    from joinstorm.bench.machine import machine
    from joinstorm.conformance.certificate import Certificate, choose, conform
    from joinstorm.conformance.certificatereport import line_of, to_json, to_text, write
    from joinstorm.embedded.workplace import broker_for, folder_for
    from joinstorm.engines.catalog import engine_under_test, entry, version_of
    from joinstorm.run.versions import versions

    chosen = choose(points)
    order = [point.name for point in chosen]
    tested = engine_under_test(engine, shown_as=name or "", options=options, seconds=deadline)
    library = version_of(engine)
    played: list[PointOutcome] = []

    def note(outcome: PointOutcome) -> None:
        played.append(outcome)
        echo(line_of(outcome), err=True)

    def certify() -> Certificate:
        certificate = Certificate(
            engine=tested.name,
            outcomes=tuple(sorted(played, key=lambda one: order.index(one.point))),
            versions={**versions(), **({"engine": library} if library else {})},
            machine=machine(),
            made=datetime.now(UTC).isoformat(timespec="seconds"),
            limits=entry(engine).limits,
        )
        if out is not None:
            write(certificate, out)
        echo(to_text(certificate) if form == "text" else to_json(certificate).decode(), nl=form == "text")
        return certificate

    try:
        with folder_for(out) as folder, broker_for(connection) as broker:
            conform(broker, tested, folder, points=chosen, jobs=jobs, notify=note)
    except InterruptedRun:
        if played:  # hours may lie behind them
            certify()
        raise
    return EXIT_OK if certify().exact else EXIT_FAILED
