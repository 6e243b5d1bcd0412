"""``joinstorm dead-letters``: the records that were put aside, with where they stood and why."""

from base64 import b64encode

import click
import msgspec

from joinstorm.commands.options import bootstrap_servers, topic_prefix
from streams.contract.deadletters import DeadLetter
from streams.kafka.connection import Connection
from streams.read.deadletterreader import letters

_SHOWN = 100
"""Characters of a record's bytes in the text form."""


@click.command()
@bootstrap_servers()
@topic_prefix
@click.option("--run", default=None, metavar="ID", help="Only records of this run.")
@click.option("--engine", default=None, help="Only records this engine put aside.")
@click.option("--reason", default=None, help="Only records put aside for this reason.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="One line per record.")
def command(
    connection: Connection,
    prefix: str,
    run: str | None,
    engine: str | None,
    reason: str | None,
    form: str,
) -> None:
    """List the records on the input topics that are no events: source, reason and bytes, each once per engine.

    As JSON the bytes are there twice: as text that is easy to read, and as base64 that loses nothing.
    """
    for letter in letters(connection, prefix, _complain):
        wanted = ((run, letter.run), (engine, letter.engine), (reason, letter.reason))
        if all(want is None or want == found for want, found in wanted):
            click.echo(_json(letter) if form == "json" else _text(letter))


def _complain(what: str) -> None:
    click.echo(what, err=True)


def _text(letter: DeadLetter) -> str:
    value = repr(letter.value[:_SHOWN])[1:] + (" …" if len(letter.value) > _SHOWN else "")
    return f"{letter.source}  {letter.reason}  ({letter.engine})  {letter.detail}\n    {value}"


def _json(letter: DeadLetter) -> str:
    shown = {"value": letter.value.decode("utf-8", "backslashreplace"), "base64": b64encode(letter.value).decode()}
    fields = {"source": letter.source, **letter._asdict(), **shown}
    return msgspec.json.encode(fields).decode()
