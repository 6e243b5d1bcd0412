"""What commands print: no terminal obeys what a file, a record or a name contains, and no encoding ends a command."""

import codecs
import io
import logging
import sys
from typing import Final

import click

from streams.visible import spell_unencodable, visible

_SPELLED: Final = "joinstorm.spelled"


def echo(text: object, *, err: bool = False, nl: bool = True) -> None:
    """Print a text to stdout or stderr with everything in it made visible."""
    click.echo(visible(str(text)), err=err, nl=nl)


class VisibleFormatter(logging.Formatter):
    """Formats a log record with everything in it made visible."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text."""
        return visible(super().format(record))


def print_any_text() -> None:
    """Let stdout and stderr print any text: what their encoding lacks, under LC_ALL=C for example, is spelled."""
    codecs.register_error(_SPELLED, spell_unencodable)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_SPELLED)
