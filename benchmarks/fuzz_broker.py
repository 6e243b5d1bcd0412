"""Differential fuzz over a real broker: strange records counted by an engine's own processes and by a naive oracle.

    python -m benchmarks.fuzz_broker faust kafka-python quix --records 100000 --seed 1
    python -m benchmarks.fuzz_broker "go=./engine" --records 100000

Each engine plays one run of its own: events, marks and damaged values of the seed, in batches of all compressions with
headers and odd keys and times, in committed and aborted transactions; one of two topics keeps the broker's time instead
of the records'. The engine must put the same records aside for the same reasons and count the same. Exit code 1 if one
does not. What ``benchmarks.fuzz`` does in one process with millions, this does with what only runs outside of it.
"""

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Final

import click
import msgspec
from aiokafka import AIOKafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from benchmarks.fuzz import INFO, MUTATED, difference
from benchmarks.fuzzing.engines import Outcome, expected
from benchmarks.fuzzing.fetches import Fetch
from benchmarks.fuzzing.values import value
from joinstorm.conformance.pointrun import PointRun
from joinstorm.embedded.broker import EmbeddedBroker
from joinstorm.engines.catalog import engine_under_test
from joinstorm.engines.undertest import EngineUnderTest
from joinstorm.verdict.verdicts import final_tables
from streams.contract import deadletters
from streams.contract.events import Mark, MarkKind, decode_presence, decode_tweet, encode
from streams.contract.results import Counts
from streams.contract.topics import (
    CHECKPOINTS,
    DEAD_LETTERS,
    INPUTS,
    PRESENCE,
    RESULTS_AUDIENCE,
    RESULTS_PROGRESS,
    RESULTS_REACTION,
    RUN_INFO,
    RUN_STATUS,
)
from streams.errors import DecodeError, EngineError
from streams.golden import EventTotals, Expected, GoldenNight
from streams.kafka.admin import open_admin
from streams.kafka.connection import Connection
from streams.read.runview import RunView

_CODECS: Final = (None, "gzip", "snappy", "lz4", "zstd")
_SIZES: Final = (1, 7, 300, 1_000)
_LONGEST: Final = 500
_NAMED: Final = 6
_HEADERS: Final[tuple[list[tuple[str, bytes]], ...]] = ([], [], [("a", b"b"), ("", b"")])
_KEYS: Final = (None, b"", b"\xff\x80", b"7", b"x" * 200)


def values(random: Random, run: PointRun, topic: str, records: int) -> Iterator[bytes | None]:
    """Yield values of an input topic; none is the end of the run, which comes last of all."""
    decode = decode_presence if topic == PRESENCE else decode_tweet
    left = records
    while left:
        made = value(random, run.info, topic, random.choice(MUTATED))
        with contextlib.suppress(DecodeError):
            event = decode(made)
            if isinstance(event, Mark) and event.mark is MarkKind.END and event.run == run.info.run:
                continue
        left -= 1
        yield made


async def send(run: PointRun, topic: str, made: Sequence[bytes | None], random: Random, transactions: bool) -> Outcome:
    """Send values and the end mark; return what a reader of committed records must find."""
    name, fetched, at = run.info.topics[topic], Fetch(), 0
    async with contextlib.AsyncExitStack() as stack:
        senders = [await _sender(stack, run.connection, codec, "") for codec in _CODECS]
        transactional = (
            await _sender(stack, run.connection, "zstd", f"{run.info.run}-{topic}") if transactions else None
        )
        while at < len(made):
            batch = made[at : at + random.choice(_SIZES)]
            at += len(batch)
            kind = random.choice(("plain", "plain", "committed", "aborted")) if transactional else "plain"
            sender = random.choice(senders) if kind == "plain" or transactional is None else transactional
            if kind != "plain":
                await sender.begin_transaction()
            offsets = await _sent(sender, name, batch, random)
            if kind == "committed":
                await sender.commit_transaction()
            elif kind == "aborted":
                await sender.abort_transaction()
                continue
            fetched.seen += zip(offsets, batch, strict=True)
        wanted = expected(run.info, topic, fetched)
        await _sent(senders[0], name, [_end(run, wanted)], random)
    return wanted


def _end(run: PointRun, wanted: Outcome) -> bytes:
    return encode(Mark(MarkKind.END, run.info.end, run.info.run, 1, events=wanted.events))


async def _sender(
    stack: contextlib.AsyncExitStack, connection: Connection, codec: str | None, transaction: str
) -> AIOKafkaProducer:
    more: dict[str, Any] = {"transactional_id": transaction} if transaction else {}
    settings = {"compression_type": codec, "linger_ms": 5, "max_batch_size": 1 << 18, "max_request_size": 1 << 20}
    return await stack.enter_async_context(AIOKafkaProducer(**connection.for_aiokafka(), **settings, **more))


async def _sent(sender: AIOKafkaProducer, name: str, batch: Sequence[bytes | None], random: Random) -> list[int]:
    futures = [
        await sender.send(
            name,
            one,
            key=random.choice(_KEYS if one is not None else _KEYS[1:]),
            partition=0,
            timestamp_ms=random.randrange(1 << 42),
            headers=random.choice(_HEADERS),
        )
        for one in batch
    ]
    await sender.flush()
    return [(await future).offset for future in futures]


def play(broker: Connection, engine: EngineUnderTest, folder: Path, records: int, seed: int, transactions: bool) -> str:
    """Play one engine's run; return the first disagreement, or nothing."""
    topics = dict.fromkeys(
        (
            *INFO.topics,
            RESULTS_AUDIENCE,
            RESULTS_REACTION,
            RESULTS_PROGRESS,
            RUN_INFO,
            RUN_STATUS,
            CHECKPOINTS,
            DEAD_LETTERS,
        ),
        "",
    )
    info = msgspec.structs.replace(INFO, partitions=1, topics=topics, created_ms=time.time_ns() // 1_000_000)
    random = Random(f"{seed}")
    with PointRun(broker, engine, GoldenNight("fuzz", info, (), Expected({}, {}, {})), folder) as run:
        _keep_broker_time(broker, run.info.topics[random.choice(INPUTS)])
        run.start()
        wanted = {}
        for topic in INPUTS:
            made = list(values(random, run, topic, records // 2))
            wanted[topic] = asyncio.run(send(run, topic, made, random, transactions))
        totals = {
            topic: EventTotals(one.events, one.duplicates, len(one.dead_letters)) for topic, one in wanted.items()
        }
        run.night = replace(run.night, expected=Expected({}, {}, totals))
        try:
            view = run.wait_done()
        except EngineError as error:
            return str(error)
        return next(filter(None, _faults(run, view, wanted)), "")


def _faults(run: PointRun, view: RunView, wanted: dict[str, Outcome]) -> Iterator[str]:
    yield from run.problems(view)
    known = view.engines[run.engine.name]
    tables = final_tables(known)
    for topic, found in zip(INPUTS, (tables.audience, tables.reaction), strict=True):
        one = wanted[topic]
        if run.engine.dead_letters:
            letters = _letters(run, run.info.topics[topic])
            if letters != one.dead_letters:
                where = difference(letters, one.dead_letters)
                yield f"{topic}: dead letters: {where}{_first(run, topic, letters, one)}"
        number = known.covered.dead_letters.get(topic, 0)
        if number != len(one.dead_letters):
            yield f"{topic}: dead letters: expected {len(one.dead_letters)}, progress has {number}"
        for what in ("events", "duplicates"):
            number, right_number = getattr(known.covered, what).get(topic, 0), getattr(one, what)
            if number != right_number:
                yield f"{topic}: {what}: expected {right_number}, found {number}"
        if (counted := _without_zeros(found)) != (right := _without_zeros(one.counts)):
            yield f"{topic}: counts: {difference(counted, right)}"


def _first(run: PointRun, topic: str, letters: list[tuple[int, str]], wanted: Outcome) -> str:
    """Return the first records an engine put aside, or did not, unlike the contract."""
    odd = sorted({offset for offset, _ in set(letters) ^ set(wanted.dead_letters)})[:_NAMED]
    held = {one.offset: one.value for one in run.read(topic)}
    found, right = dict(letters), dict(wanted.dead_letters)
    return "".join(f"\n  {at}: {right.get(at)}, found {found.get(at)}: {held[at]!r:.{_LONGEST}}" for at in odd)


def _without_zeros(table: Any) -> dict[tuple[int, str], Counts]:
    kept = {key: {name: number for name, number in counts.items() if number} for key, counts in table.items()}
    return {key: counts for key, counts in kept.items() if counts}


def _letters(run: PointRun, topic: str) -> list[tuple[int, str]]:
    found = (deadletters.read(one.key, one.value, one.headers) for one in run.read(DEAD_LETTERS))
    return sorted({(letter.offset, letter.reason) for letter in found if letter.topic == topic})


def _keep_broker_time(broker: Connection, topic: str) -> None:
    with contextlib.closing(open_admin(broker)) as client:
        change = {"message.timestamp.type": "LogAppendTime"}
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=change)])


@click.command()
@click.argument("engines", nargs=-1, required=True, metavar="ENGINE|NAME=COMMAND...")
@click.option("--records", type=click.IntRange(2), default=20_000, help="Records per engine, half on each topic.")
@click.option("--seed", type=click.IntRange(0), default=1, help="Seed of all records.")
@click.option("--transactions/--no-transactions", default=True, help="Whether some batches are transactions.")
@click.option(
    "--deadline", type=click.FloatRange(1), help="Seconds until the end of a run; the engine's own if not given."
)
def main(engines: tuple[str, ...], records: int, seed: int, transactions: bool, deadline: float | None) -> None:
    """Fuzz engines over a broker, one after another; NAME=COMMAND is a program run by the engine ``external``."""
    failed = False
    with EmbeddedBroker() as broker, tempfile.TemporaryDirectory() as folder:
        for text in engines:
            name, _, command = text.partition("=")
            engine = engine_under_test(
                "external" if command else name, shown_as=name, options=_options(command), seconds=deadline
            )
            begun = time.monotonic()
            fault = play(broker.connection, engine, Path(folder) / name, records, seed, transactions)
            failed |= bool(fault)
            print(f"{name}: {records:,} records, {time.monotonic() - begun:.1f} s: {fault or 'no disagreement'}")
    sys.exit(failed)


def _options(command: str) -> dict[str, str]:
    return {"command": command} if command else {}


if __name__ == "__main__":
    main()
