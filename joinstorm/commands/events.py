"""``joinstorm events``: a tape's events for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from joinstorm.commands import options
from joinstorm.output import echo
from streams.errors import UsageError

if TYPE_CHECKING:
    from producers.importing.eventfile import EventFormat

FORMATS = ("csv", "jsonl", "parquet")
"""Spelled here, too, so that --help loads no room; a test compares them with ``producers.importing.eventfile``."""


@click.command()
@click.argument("tape", type=click.Path(path_type=Path))
@options.out_file("File to write.", required=True)
@options.output_format(*FORMATS, default=None, text="Format of the file.", shown="by its suffix")
def command(tape: Path, out: Path, form: EventFormat | None) -> None:
    """Export a tape's events to a file.

    The file has one row per event, in the tape's columns. What the events do not contain of the night (phases, start of
    the talk, subjects) goes into a settings file next to it, so that `joinstorm import FILE --settings
    FILE.night.yaml` makes a tape with the same answers.
    """
    from producers.importing.eventfile import format_named, settings, write_events
    from producers.tape.tapefile import Tape

    found = form or format_named(out)
    if found is None:
        raise UsageError(f"{out}: give --format {', '.join(FORMATS)}, or a name that ends in one of them")
    if out.resolve() == tape.resolve():
        raise UsageError(f"{out} is the tape itself")
    opened = Tape.open(tape)
    write_events(opened, out, found)
    night = out.with_name(f"{out.name}.night.yaml")
    night.write_text(settings(opened.info), encoding="utf-8")
    echo(out)
    echo(night)
