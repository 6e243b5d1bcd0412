"""``joinstorm dead-letters``: the records that were put aside, with where they stood and why."""

import asyncio
from collections.abc import Iterator

import click
import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaError

from joinstorm.options import bootstrap_servers, topic_prefix
from streams.connection import Connection
from streams.deadletters import DeadLetter, read
from streams.errors import BrokerError, ContractError
from streams.topics import DEAD_LETTERS

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
    connection: Connection | None,
    prefix: str,
    run: str | None,
    engine: str | None,
    reason: str | None,
    form: str,
) -> None:
    """List the records on the input topics that are no events: source, reason and bytes, each once per engine."""
    for letter in letters(connection or Connection(), prefix):
        wanted = ((run, letter.run), (engine, letter.engine), (reason, letter.reason))
        if all(want is None or want == found for want, found in wanted):
            click.echo(_json(letter) if form == "json" else _text(letter))


def letters(connection: Connection, prefix: str) -> Iterator[DeadLetter]:
    """Yield what was put aside, in the order in which it first was; what is no dead letter is told on stderr.

    Raises:
        BrokerError: Nobody answers, or nothing was ever put aside there.
    """
    found: dict[tuple[str, str], DeadLetter] = {}
    for record in asyncio.run(_read(connection, prefix + DEAD_LETTERS)):
        try:
            letter = read(record.key, record.value, record.headers)
        except ContractError as error:
            click.echo(f"{record.topic}[{record.partition}]@{record.offset}: {error}", err=True)
            continue
        found.setdefault((letter.engine, letter.source), letter)
    yield from found.values()


async def _read(connection: Connection, topic: str) -> list[ConsumerRecord]:
    consumer = AIOKafkaConsumer(topic, **connection.for_aiokafka(), group_id=None, auto_offset_reset="earliest")
    try:
        await consumer.start()
        places = consumer.assignment()
        if not places:
            raise BrokerError(f"{connection.bootstrap_servers}: there is no topic {topic}")
        ends = await consumer.end_offsets(places)
        records: list[ConsumerRecord] = []
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                records += batch
    except (KafkaError, OSError) as error:
        raise BrokerError(f"{connection.bootstrap_servers}: cannot read {topic}: {error}") from error
    else:
        return records
    finally:
        await consumer.stop()


def _text(letter: DeadLetter) -> str:
    value = repr(letter.value[:_SHOWN])[1:] + (" …" if len(letter.value) > _SHOWN else "")
    return f"{letter.source}  {letter.reason}  ({letter.engine})  {letter.detail}\n    {value}"


def _json(letter: DeadLetter) -> str:
    fields = {"source": letter.source, **letter._asdict(), "value": letter.value.decode("utf-8", "backslashreplace")}
    return msgspec.json.encode(fields).decode()
