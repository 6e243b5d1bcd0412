"""``joinstorm events``: a tape's events for other tools."""

from pathlib import Path

import click

from producers.importing.eventfile import format_named, settings, write_events
from producers.importing.reading import FORMATS, Format
from producers.tape.tapefile import Tape


@click.command()
@click.argument("tape", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file to write; never a tape."
)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default=None, help="What to write; seen from the name if not given."
)
def command(tape: Path, out: Path, form: Format | None) -> None:
    """Write a tape's events as CSV, JSONL or Parquet, one row each in the tape's columns.

    What the events do not say of the night (phases, start of the talk, subjects) goes into a settings file beside it,
    so that ``joinstorm import FILE --settings FILE.night.yaml`` makes a tape with the same answers.
    """
    found = form or format_named(out)
    if found is None:
        raise click.UsageError(f"{out}: say --format {', '.join(FORMATS)}, or end the name in one of them")
    if out.resolve() == tape.resolve():
        raise click.UsageError(f"{out} is the tape itself")
    opened = Tape.open(tape)
    write_events(opened, out, found)
    beside = out.with_name(f"{out.name}.night.yaml")
    beside.write_text(settings(opened.info), encoding="utf-8")
    click.echo(out)
    click.echo(beside)
