"""Reads the dead letters of engines, each source once."""

from collections.abc import Callable, Iterator

from streams.contract.deadletters import DeadLetter, read
from streams.contract.runinfo import RunInfo
from streams.contract.topics import DEAD_LETTERS, INPUTS
from streams.errors import ContractError
from streams.kafka.connection import Connection
from streams.kafka.topicreader import read_all


def dead_letters(
    connection: Connection, prefix: str, on_invalid: Callable[[str], object] = lambda _: None
) -> Iterator[DeadLetter]:
    """Yield the dead letters in the order they were first written, each source once per engine.

    Args:
        connection: Where the broker is.
        prefix: The prefix of the topic names.
        on_invalid: Called with a message for each record on the topic that is not a dead letter.

    Raises:
        BrokerError: No broker answers, or the topic does not exist.
    """
    found: dict[tuple[str, str], DeadLetter] = {}
    for record in read_all(connection, prefix + DEAD_LETTERS):
        try:
            letter = read(record.key, record.value, record.headers)
        except ContractError as error:
            on_invalid(f"{record.topic}[{record.partition}]@{record.offset}: {error}")
            continue
        found.setdefault((letter.engine, letter.source), letter)
    yield from found.values()


def dead_letters_of(connection: Connection, info: RunInfo, engine: str) -> list[DeadLetter]:
    """Return an engine's dead letters from a run's input topics, and those of engines that do not give their name."""
    topics = {info.topics[base] for base in INPUTS}
    mine = (one for one in dead_letters(connection, info.prefix) if one.topic in topics and one.engine in {engine, ""})
    return list({one.source: one for one in mine}.values())
