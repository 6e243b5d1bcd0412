"""The engine faust on a real broker, as processes that are killed, stopped and joined by others at any moment."""

import asyncio
import json
import os
import random
import signal
import threading
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from click.testing import CliRunner
from kafka import KafkaConsumer, TopicPartition

from joinstorm.cli import cli
from joinstorm.embedded.broker import EmbeddedBroker
from joinstorm.run.supervisor import Supervisor
from streams.contract.deadletters import read
from streams.contract.events import NOT_JSON, OUT_OF_RANGE, WRONG_SHAPE, WRONG_VERSION, MarkKind, Presence, encode
from streams.contract.runinfo import RunInfo
from streams.contract.topics import DEAD_LETTERS, INPUTS, PRESENCE, TWEETS
from streams.kafka.connection import Connection
from streams.kafka.topicreader import read_all
from tests.streaming import Event, Feed, Workers, assert_exact, open_night, random_night, until

pytestmark = pytest.mark.integration


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """Yield a supervisor whose parts are gone after the test."""
    with Supervisor(tmp_path / "logs") as found:
        yield found


def _shuffled(events: list[Event], seed: int) -> list[Event]:
    """Return the events out of order by up to 200 places, every tenth of them twice."""
    rng = random.Random(seed)
    arriving = events + rng.sample(events, len(events) // 10)
    return sorted(arriving, key=lambda event: event.event_id + rng.randrange(200))


class Slowly(threading.Thread):
    """Sends events in portions, so that something can happen to the workers meanwhile."""

    def __init__(self, feed: Feed, events: list[Event], seconds: float) -> None:
        super().__init__()
        self._feed, self._events, self._seconds = feed, events, seconds
        self.sent = 0

    def run(self) -> None:
        """Send, with a watermark after each portion and the end marks at the end."""
        portions = 60
        size = -(-len(self._events) // portions)
        pause = threading.Event()
        for start in range(0, len(self._events), size):
            self._feed.send(self._events[start : start + size])
            self._feed.mark(MarkKind.WATERMARK, self._feed.info.start)
            self.sent += size
            pause.wait(self._seconds / portions)
        self._feed.end()


def test_disorder_repetition_and_odd_records(kafka: Connection, unique_run: str, supervisor: Supervisor) -> None:
    """Counts are exact, and every record that is none of ours is kept with its place, its reason and its bytes."""
    events = random_night(4_000, 1)
    info = open_night(kafka, unique_run, len(events))
    odd = {
        b"": NOT_JSON,
        b"\xff{": NOT_JSON,
        b'{"v":1}': WRONG_SHAPE,
        b'{"v":2}': WRONG_VERSION,
        encode(_beyond(events, info)): OUT_OF_RANGE,
    }
    with Feed(kafka, info) as feed:
        arriving = _shuffled(events, 1)
        for number, value in enumerate(odd):
            feed.send(arriving[number::5])
            feed.raw(PRESENCE, number % 2, value)
        feed.raw(TWEETS, 0, None)
        feed.end()
    Workers(supervisor, kafka, info).start(0).wait(60)
    covered = assert_exact(kafka, info, events)
    assert covered.dead_letters == {PRESENCE: len(odd), TWEETS: 1}
    assert sum(covered.duplicates.values()) == 400
    letters = [read(r.key, r.value, r.headers) for r in read_all(kafka, info.names().shared(DEAD_LETTERS))]
    mine = {letter.source: letter for letter in letters if letter.run == info.run}
    assert {letter.value: letter.reason for letter in mine.values() if letter.topic == info.names().presence} == odd
    assert [letter.reason for letter in mine.values() if letter.topic == info.names().tweets] == [NOT_JSON]
    shown = CliRunner().invoke(cli, ["dead-letters", *_at(kafka), "--run", info.run, "--format", "json"])
    listed = [json.loads(line) for line in shown.stdout.splitlines()]
    assert {(one["source"], one["reason"], b64decode(one["base64"])) for one in listed} == {
        (letter.source, letter.reason, letter.value) for letter in mine.values()
    }
    assert len(listed) == len(mine)
    assert "wrong_version" in CliRunner().invoke(cli, ["dead-letters", *_at(kafka), "--run", info.run]).stdout
    for letter in mine.values():
        assert _record_at(kafka, letter.topic, letter.partition, letter.offset) == (letter.value or None)


def _at(kafka: Connection) -> list[str]:
    return ["--bootstrap-servers", kafka.bootstrap_servers]


def _beyond(events: list[Event], info: RunInfo) -> Presence:
    event = next(event for event in events if isinstance(event, Presence))
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return Presence(**{**fields, "event_id": info.events})


def _record_at(kafka: Connection, topic: str, partition: int, offset: int) -> bytes | None:
    consumer = KafkaConsumer(**kafka.for_kafka_python(), consumer_timeout_ms=5_000)
    try:
        consumer.assign([TopicPartition(topic, partition)])
        consumer.seek(TopicPartition(topic, partition), offset)
        value: bytes | None = next(iter(consumer)).value
        return value or None
    finally:
        consumer.close()


def test_workers_share_the_work_and_all_end(kafka: Connection, unique_run: str, supervisor: Supervisor) -> None:
    """With three workers on four partitions each ends when all is done; one that starts later sees that it is done."""
    events = random_night(3_000, 2)
    info = open_night(kafka, unique_run, len(events))
    workers = Workers(supervisor, kafka, info)
    for number in range(3):
        workers.start(number)
    with Feed(kafka, info) as feed:
        sending = Slowly(feed, _shuffled(events, 2), 3)
        sending.start()
        sending.join()
    workers.wait()
    assert_exact(kafka, info, events)
    assert workers.start(0).wait(30) == 0
    assert_exact(kafka, info, events)


def test_killed_at_any_instant(kafka: Connection, unique_run: str, supervisor: Supervisor) -> None:
    """Workers killed with -9 again and again, started again, and joined by another: nothing lost, nothing twice."""
    events = random_night(12_000, 3)
    info = open_night(kafka, unique_run, len(events))
    workers = Workers(supervisor, kafka, info, "--checkpoint-seconds", "0.2")
    rng = random.Random(3)
    workers.start(0)
    with Feed(kafka, info) as feed:
        sending = Slowly(feed, _shuffled(events, 3), 8)
        sending.start()
        for share in (0.2, 0.4, 0.6, 0.8):
            until(lambda share=share: sending.sent > share * len(events), "events sent")  # type: ignore[misc]  # lambda
            victim = workers.parts[rng.choice(list(workers.parts))]
            os.kill(victim.pid, signal.SIGKILL)
            victim.process.wait()
            workers.start(int(victim.name.rpartition("-")[2]))
            if share == 0.4:
                workers.start(1)
        sending.join()
    workers.wait()
    assert_exact(kafka, info, events)
    assert "resumes at offset" in workers.parts[0].log.read_text()


def test_a_worker_that_slept_harms_nobody(kafka: Connection, unique_run: str, supervisor: Supervisor) -> None:
    """A worker stopped until its partitions were given away writes old results when it wakes: they change nothing."""
    events = random_night(6_000, 4)
    info = open_night(kafka, unique_run, len(events))
    workers = Workers(supervisor, kafka, info, "--checkpoint-seconds", "0.2")
    workers.start(0)
    workers.start(1)
    with Feed(kafka, info) as feed:
        sending = Slowly(feed, _shuffled(events, 4), 4)
        sending.start()
        until(lambda: sending.sent > 2_000, "events sent")
        os.kill(workers.parts[0].pid, signal.SIGSTOP)
        sending.join()
    try:
        assert workers.parts[1].wait(60) == 0
    finally:
        os.kill(workers.parts[0].pid, signal.SIGCONT)
    workers.wait()
    assert_exact(kafka, info, events)


def test_sigterm_ends_a_worker_within_seconds(kafka: Connection, unique_run: str, supervisor: Supervisor) -> None:
    """It leaves a checkpoint, says it was stopped, and its successor goes on from there."""
    events = random_night(2_000, 5)
    info = open_night(kafka, unique_run, len(events))
    workers = Workers(supervisor, kafka, info, "--checkpoint-seconds", "3600")
    with Feed(kafka, info) as feed:
        feed.send(events[:1_000])
        feed.producer.flush()
        part = workers.start(0)
        until(lambda: _checkpoints(kafka, info) > 0, "a first checkpoint")
        feed.send(events[1_000:])
        feed.producer.flush()
        os.kill(part.pid, signal.SIGTERM)
        assert part.wait(10) == 130
        feed.end()
    assert workers.start(0).wait(60) == 0
    assert_exact(kafka, info, events)
    assert "resumes at offset 0" not in part.log.read_text().rpartition("Stopping")[2]


def _checkpoints(kafka: Connection, info: RunInfo) -> int:
    return len(read_all(kafka, info.names().checkpoints))


def test_damaged_checkpoints_are_said_and_not_used(kafka: Connection, unique_run: str, supervisor: Supervisor) -> None:
    """Garbage and halves in the checkpoint topic lead to an older state or the beginning, and the counts are exact."""
    events = random_night(2_000, 6)
    info = open_night(kafka, unique_run, len(events))
    workers = Workers(supervisor, kafka, info)
    with Feed(kafka, info) as feed:
        feed.send(events[:1_500])
        feed.producer.flush()
        part = workers.start(0)
        until(lambda: _checkpoints(kafka, info) >= 4, "checkpoints of four partitions")
        os.kill(part.pid, signal.SIGKILL)
        part.process.wait()
        for number in range(2 * info.partitions):
            feed.producer.send(info.names().checkpoints, b"garbage", partition=number)
        for record in read_all(kafka, info.names().checkpoints):
            half = bytes(record.value[: len(record.value) // 2])
            feed.producer.send(info.names().checkpoints, half, partition=record.partition)
        feed.send(events[1_500:])
        feed.end()
    assert workers.start(0).wait(60) == 0
    assert "not used: not a checkpoint" in workers.parts[0].log.read_text()
    assert_exact(kafka, info, events)


LOSES = """
from streams.engines.faust.engine import FaustEngine
from streams.engines.faust.transport import ChunkConsumer

class Loses(FaustEngine):
    name = "loses"

lost, deliver = set(), ChunkConsumer._deliver

async def _deliver(self, tp, fetched, generation):
    if tp in lost:
        await deliver(self, tp, fetched, generation)
    else:
        lost.add(tp)
        list(fetched)

ChunkConsumer._deliver = _deliver
"""
"""The first records of every partition are taken from the fetch and come to nothing."""


def test_the_last_records_of_a_partition_are_not_lost_between_seek_and_flow(
    kafka: Connection, unique_run: str, supervisor: Supervisor, tmp_path: Path
) -> None:
    """Everything is there before the worker starts, so nothing that comes later shows what is missing."""
    engine = tmp_path / "loses.py"
    engine.write_text(LOSES)
    events = random_night(1_000, 5)
    info = open_night(kafka, unique_run, len(events))
    with Feed(kafka, info) as feed:
        feed.send(events)
        feed.end()
    workers = Workers(supervisor, kafka, info, "--engine", f"{engine}:Loses")
    part = workers.start(0)
    workers.wait(60)
    assert_exact(kafka, info, events, engine="loses")
    assert "fetching again from" in part.log.read_text()


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_compressed_batches(kafka: Connection, unique_run: str, supervisor: Supervisor, codec: str) -> None:
    """Whatever a producer compresses with is read."""
    events = random_night(500, 7)
    info = open_night(kafka, unique_run, len(events), partitions=1)
    asyncio.run(_send(kafka, info, events, codec))
    assert Workers(supervisor, kafka, info).start(0).wait(60) == 0
    assert_exact(kafka, info, events)


async def _send(kafka: Connection, info: RunInfo, events: list[Event], codec: str) -> None:
    producer = AIOKafkaProducer(**kafka.for_aiokafka(), compression_type=codec, linger_ms=20)
    await producer.start()
    for event in events:
        topic = info.names().presence if isinstance(event, Presence) else info.names().tweets
        await producer.send(topic, encode(event), partition=0)
    await producer.stop()
    with Feed(kafka, info) as feed:
        feed.end()


def test_transactions_that_were_given_up_are_not_counted(
    kafka: Connection, unique_run: str, supervisor: Supervisor
) -> None:
    """Events of a committed transaction count, those of an aborted one do not; the offsets of both are no gap."""
    events = [event for event in random_night(600, 8) if isinstance(event, Presence)]
    kept = [event for event in events if event.event_id % 3]
    info = open_night(kafka, unique_run, 600, partitions=1)
    asyncio.run(_transactions(kafka, info, events))
    with Feed(kafka, info) as feed:
        feed.end()
    assert Workers(supervisor, kafka, info).start(0).wait(60) == 0
    assert_exact(kafka, info, kept)


async def _transactions(kafka: Connection, info: RunInfo, events: list[Presence]) -> None:
    producer = AIOKafkaProducer(**kafka.for_aiokafka(), transactional_id=f"{info.run}-t")
    await producer.start()
    for start in range(0, len(events), 50):
        part = events[start : start + 50]
        for third in (False, True):
            await producer.begin_transaction()
            for event in part:
                if (event.event_id % 3 == 0) == third:
                    await producer.send(info.names().presence, encode(event), partition=0)
            await (producer.abort_transaction() if third else producer.commit_transaction())
    await producer.stop()


def test_the_group_is_committed_up_to_the_checkpoints(
    kafka: Connection, unique_run: str, supervisor: Supervisor
) -> None:
    """Tools that watch consumer groups see what is safe, not what is merely read."""
    events = random_night(1_000, 9)
    info = open_night(kafka, unique_run, len(events))
    with Feed(kafka, info) as feed:
        feed.send(events)
        feed.mark(MarkKind.WATERMARK, info.end)
        feed.producer.flush()
    Workers(supervisor, kafka, info).start(0)
    consumer = KafkaConsumer(**kafka.for_kafka_python(), group_id=f"joinstorm-faust-{info.run}")
    try:
        places = [TopicPartition(info.names().input(base), number) for base in INPUTS for number in range(2)]
        ends = consumer.end_offsets(places)
        until(lambda: {tp: consumer.committed(tp) for tp in places} == ends, "everything committed")
    finally:
        consumer.close()


@pytest.mark.slow
def test_a_broker_that_is_killed_and_comes_back(unique_run: str, supervisor: Supervisor) -> None:
    """The worker waits for it, says again what was not acknowledged, and the counts are exact."""
    events = random_night(3_000, 10)
    with EmbeddedBroker() as broker:
        info = open_night(broker.connection, unique_run, len(events))
        workers = Workers(supervisor, broker.connection, info, "--checkpoint-seconds", "0.2")
        with Feed(broker.connection, info) as feed:
            part = workers.start(0)
            feed.send(events[:1_500])
            feed.producer.flush(timeout=30)
            until(lambda: "resumes at offset" in part.log.read_text(), "the worker at work")
            broker.kill()
            broker.start()
            feed.send(events[1_500:])
            feed.end()
        workers.wait(90)
        assert_exact(broker.connection, info, events)
