"""``joinstorm dead-letters``: the records that are not events, with their source and reason."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import click

from joinstorm.commands import options
from joinstorm.output import echo
from streams.visible import visible_line

if TYPE_CHECKING:
    from streams.contract.deadletters import DeadLetter
    from streams.kafka.connection import Connection

_SHOWN = 100
"""Characters of a record's bytes in the text form."""


@click.command()
@options.bootstrap_servers()
@options.topic_prefix
@click.option("--run", default=None, metavar="ID", help="Only records of this run.")
@options.engine("Only records that this engine put aside.", default=None)
@click.option("--reason", default=None, help="Only records put aside for this reason.")
@options.output_format()
def command(
    connection: Connection,
    prefix: str,
    run: str | None,
    engine: str | None,
    reason: str | None,
    form: str,
) -> None:
    """List the records that are not events.

    Each record on the input topics is listed once per engine, with source, reason and bytes; a line per record. As JSON
    the bytes are there twice: as readable text, and as lossless base64.
    """
    from streams.read.deadletterreader import dead_letters

    for letter in dead_letters(connection, prefix, lambda problem: echo(problem, err=True)):
        wanted = ((run, letter.run), (engine, letter.engine), (reason, letter.reason))
        if all(want is None or want == found for want, found in wanted):
            echo(_json(letter) if form == "json" else _text(letter))


def _text(letter: DeadLetter) -> str:
    value = repr(letter.value[:_SHOWN])[1:] + (" …" if len(letter.value) > _SHOWN else "")
    return f"{visible_line(f'{letter.source}  {letter.reason}  ({letter.engine})  {letter.detail}')}\n    {value}"


def _json(letter: DeadLetter) -> str:
    import msgspec

    shown = {"value": letter.value.decode("utf-8", "backslashreplace"), "base64": b64encode(letter.value).decode()}
    fields = {"source": letter.source, **letter._asdict(), **shown}
    return msgspec.json.encode(fields).decode()
