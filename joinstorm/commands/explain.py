"""``joinstorm explain``: the fewest events that show why an engine is wrong."""

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
@click.argument("engine")
@options.engine_name
@options.engine_options
@click.option(
    "--point",
    "points",
    multiple=True,
    metavar="NAME",
    show_default="all, until one is wrong",
    help="Look at this point of the certificate; repeatable.",
)
@click.option("--jobs", type=click.IntRange(1), default=2, help="Nights to play at once.")
@click.option("--deadline", type=click.FloatRange(1), default=15.0, help="Seconds that each step of a point may take.")
@options.out_folder("Folder to write the smallest night to, in the format of golden nights.")
@options.bootstrap_servers(embedded=True)
@options.output_format()
def command(  # noqa: PLR0913, PLR0917 - one argument per option
    engine: str,
    name: str | None,
    options: dict[str, str],
    points: tuple[str, ...],
    jobs: int,
    deadline: float,
    out: Path | None,
    connection: Connection | None,
    form: str,
) -> int:
    """Find the fewest events that show a bug.

    ENGINE is given as to `joinstorm conform`. Its points are played until one is not exact. The night of that point is
    then played again and again with fewer events, until the engine is right as soon as any one more is removed. Exit
    code 1 when the engine is wrong, 0 when every point is exact.
    """
    from joinstorm.conformance.certificate import choose
    from joinstorm.conformance.explaining import Explainer, to_json, to_text
    from joinstorm.conformance.partnight import files_of
    from joinstorm.embedded.workplace import broker_for, folder_for
    from joinstorm.engines.catalog import engine_under_test

    chosen = choose(points)
    tested = engine_under_test(engine, shown_as=name or "", options=options, seconds=deadline)
    with folder_for(None) as folder, broker_for(connection) as broker:
        explainer = Explainer(broker, tested, folder, jobs=jobs, notify=lambda line: echo(line, err=True))
        found = explainer.explain(chosen)
    if found is None:
        echo(f"{tested.name}: exact on {len(chosen)} points, there is nothing to explain", err=True)
        return EXIT_OK
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for file, text in files_of(found.night).items():
            (out / file).write_bytes(text)
    echo(to_text(tested.name, found) if form == "text" else to_json(tested.name, found).decode(), nl=form == "text")
    return EXIT_FAILED
