"""The checkpoint topic on a real broker, with records that must not be trusted."""

import asyncio
import contextlib
import logging
import random

import pytest
from kafka import KafkaProducer

from streams.checkpoint.log import CheckpointLog
from streams.checkpoint.records import ChainWriter
from streams.contract.events import encode
from streams.contract.runinfo import RunInfo
from streams.contract.topics import PRESENCE
from streams.fold.state import PartitionState, decoder
from streams.kafka.connection import Connection
from streams.kafka.writer import BatchWriter
from tests.oracle import event_of
from tests.streaming import PEOPLE, open_night

pytestmark = pytest.mark.integration

RNG = random.Random(5)
VALUES: list[bytes | None] = [encode(event_of(RNG.randrange(1 << 60) * 3 + 1, number, PEOPLE)) for number in range(40)]


def chain(info: RunInfo, upto: int) -> list[bytes]:
    """Return the records of a whole checkpoint of the first partition at an offset."""
    state = PartitionState(info, PRESENCE, 0)
    state.apply(decoder(info, PRESENCE).decode(VALUES[:upto]), upto)
    return ChainWriter(info, "faust", PRESENCE, 0).records(state)


def write(kafka: Connection, info: RunInfo, records: list[bytes]) -> None:
    """Write any bytes into the first partition of a run's checkpoints."""
    with contextlib.closing(KafkaProducer(**kafka.for_kafka_python())) as producer:
        for record in records:
            producer.send(info.names().checkpoints, record, partition=0)
        producer.flush(timeout=20)


def restored(kafka: Connection, info: RunInfo) -> int:
    """Return the offset at which a worker would go on in the first partition."""

    async def restore() -> int:
        log = CheckpointLog(kafka, info, "faust", BatchWriter(kafka))
        return (await log.restore([(PRESENCE, 0)]))[0].next_offset

    return asyncio.run(restore())


def test_an_older_whole_checkpoint_is_taken(
    kafka: Connection, unique_run: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Newer records that are of another run, damaged or no checkpoints are named; the older whole one is used."""
    info, other = open_night(kafka, unique_run, 40), open_night(kafka, f"{unique_run[:40]}-other", 40)
    damaged = bytearray(chain(info, 30)[0])
    damaged[-1] ^= 1
    write(kafka, info, [*chain(info, 20), *chain(other, 40), bytes(damaged), b"garbage", b""])
    with caplog.at_level(logging.INFO):
        assert restored(kafka, info) == 20
    assert f"another run: expected '{info.run}', found '{other.run}'" in caplog.text
    assert "damaged: wrong checksum" in caplog.text
    assert "not a checkpoint of this version" in caplog.text
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "space.presence[0] resumes at offset 20, from a checkpoint" in warned


def test_with_nothing_to_trust_the_partition_is_read_from_the_beginning(
    kafka: Connection, unique_run: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checkpoints of another code version are refused, and the log says that reading starts at the beginning."""
    info = open_night(kafka, unique_run, 40)
    with monkeypatch.context() as patch:
        patch.setattr("streams.checkpoint.records.code_version", lambda: "0011223344556677")
        write(kafka, info, chain(info, 40))
    assert restored(kafka, info) == 0
    assert "a checkpoint of another code version" in caplog.text
    assert "space.presence[0] resumes at offset 0, the beginning" in caplog.text
