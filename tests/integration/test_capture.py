"""Any topic is captured, played and captured again, and every record is as it was."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from joinstorm.cli import main
from producers.capture.capturefile import open_capture
from producers.capture.capturewriter import part_of
from producers.capture.capturing import CaptureRequest, capture
from producers.capture.planning import Bounds
from producers.replay.topiccreation import ensure_topics
from producers.senders.registry import CLIENTS
from streams.contract.topics import TopicSpec
from streams.errors import BrokerError, CaptureError, UsageError
from streams.kafka.admin import open_admin
from streams.kafka.connection import Connection
from tests.captures import AT, Row, contents
from tests.conftest import need_program, own_broker
from tests.streaming import until

pytestmark = pytest.mark.integration

CODECS = (None, "gzip", "snappy", "lz4", "zstd")
Sent = dict[int, list[Row]]


def made(kafka: Connection, name: str, partitions: int = 2, **configs: str) -> str:
    """Make a topic."""
    ensure_topics(kafka, [TopicSpec(name, partitions, {"retention.ms": "-1", **configs})], [], replication=1)
    return name


def messy(partition: int, count: int = 300) -> list[Row]:
    """Return records of every kind: JSON, bytes, tombstones, no key, headers, times that go back."""
    values = (b'{"at":%d}', b"\x00\x01\xff%d", None, b"", b"x" * 900)
    return [
        Row(
            number,
            AT + (number * 7_919) % 60_000,
            None if number % 7 == 0 and number % 5 != 2 else b"key %d" % (number % 13),
            value % (AT + number) if (value := values[number % 5]) and b"%d" in value else value,
            (("trace", b"%d" % number), ("trace", None), ("é", b"")) if number % 3 == 0 else (),
        )
        for number in range(partition, partition + count)
    ]


async def _send(kafka: Connection, topic: str, parts: Sequence[tuple[int, Sequence[Row]]], **settings: Any) -> None:
    producer = AIOKafkaProducer(**{"linger_ms": 20, **kafka.for_aiokafka(), **settings})
    await producer.start()
    try:
        for partition, rows in parts:
            futures = [
                await producer.send(topic, row.value, row.key, partition, row.at, list(row.headers)) for row in rows
            ]
            await asyncio.gather(*futures)
    finally:
        await producer.stop()


def send(kafka: Connection, topic: str, parts: Sequence[tuple[int, Sequence[Row]]], **settings: Any) -> None:
    """Send records with another library than the one that replays them."""
    asyncio.run(_send(kafka, topic, parts, **settings))


def captured(kafka: Connection, path: Path, *topics: str, **bounds: Any) -> dict[tuple[str, int], list[Row]]:
    """Capture topics into a file and return what it holds."""
    capture(CaptureRequest(kafka, path, topics, Bounds(**bounds)), lambda _read, _wanted, _records: None)
    return contents(open_capture(path))


def run(kafka: Connection, *words: object) -> int:
    """Run a command as a user does."""
    return main([str(words[0]), "--bootstrap-servers", kafka.bootstrap_servers, *map(str, words[1:])])


def without_offsets(found: dict[tuple[str, int], list[Row]]) -> dict[int, list[Row]]:
    """Return the records of one topic without what depends on its gaps."""
    return {partition: [row._replace(offset=0) for row in rows] for (_, partition), rows in found.items()}


@pytest.fixture
def topic(kafka_broker: Connection, unique_run: str) -> str:
    """Return a topic of messy records in batches of every compression."""
    name = made(kafka_broker, f"{unique_run}.messy")
    for number, codec in enumerate(CODECS):
        send(kafka_broker, name, [(number % 2, messy(number))], compression_type=codec)
    return name


@pytest.mark.parametrize("client", CLIENTS)
def test_captured_played_and_captured_again(
    kafka_broker: Connection, topic: str, tmp_path: Path, client: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Keys, values, headers, tombstones, timestamps, partitions and order are those that were sent."""
    first = captured(kafka_broker, tmp_path / "first", topic)
    sent = {part: [row for number in range(part, 5, 2) for row in messy(number)] for part in (0, 1)}
    assert without_offsets(first) == {part: [row._replace(offset=0) for row in rows] for part, rows in sent.items()}
    copy = f"{topic}.copy"
    assert run(kafka_broker, "replay", tmp_path / "first", "--topic", copy, "--speed", "max", "--client", client) == 0
    second = captured(kafka_broker, tmp_path / "second", copy)
    assert {part: rows for (_, part), rows in second.items()} == {part: rows for (_, part), rows in first.items()}
    capsys.readouterr()
    assert run(kafka_broker, "capture", "--verify", tmp_path / "first", "--topic", copy) == 0
    assert "equal; 1,500 and 1,500 records" in capsys.readouterr().out
    digests = []
    for name in ("first", "second"):
        assert run(kafka_broker, "capture", "--digest", tmp_path / name, "--format", "json") == 0
        digests += [one["digest"] for one in json.loads(capsys.readouterr().out).values()]
    assert digests[0] == digests[1]


def test_a_record_too_many_is_found(
    kafka_broker: Connection, topic: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A topic that differs from a capture is named with its partition, and the answer is no."""
    captured(kafka_broker, tmp_path / "c", topic)
    send(kafka_broker, topic, [(1, messy(0, 1))])
    assert run(kafka_broker, "capture", "--verify", tmp_path / "c", "--topic", topic) == 1
    out = capsys.readouterr().out
    assert "different; 1,501 and 1,500 records" in out
    assert "partition 1: records differ; 601 and 600 records" in out
    assert "partition 0" not in out


async def _transactions(kafka: Connection, topic: str) -> None:
    producer = AIOKafkaProducer(transactional_id=topic, **kafka.for_aiokafka())
    await producer.start()
    try:
        for number, ends in enumerate((True, False, True)):
            await producer.begin_transaction()
            await producer.send_and_wait(topic, b"%d" % number, partition=0, timestamp_ms=AT)
            await (producer.commit_transaction() if ends else producer.abort_transaction())
    finally:
        await producer.stop()


def test_transactions(kafka_broker: Connection, unique_run: str, tmp_path: Path) -> None:
    """Committed records are captured, aborted ones only when they are asked for; markers of transactions never."""
    topic = made(kafka_broker, unique_run, 1)
    asyncio.run(_transactions(kafka_broker, topic))
    committed = captured(kafka_broker, tmp_path / "c", topic)
    assert [(row.offset, row.value) for row in committed[topic, 0]] == [(0, b"0"), (4, b"2")]
    everything = captured(kafka_broker, tmp_path / "u", topic, committed=False)
    assert [row.value for row in everything[topic, 0]] == [b"0", b"1", b"2"]
    assert run(kafka_broker, "replay", tmp_path / "c", "--topic", f"{topic}.copy", "--speed", "max") == 0
    assert run(kafka_broker, "capture", "--verify", tmp_path / "c", "--topic", f"{topic}.copy") == 0


def test_times_that_the_broker_gave(kafka_broker: Connection, unique_run: str, tmp_path: Path) -> None:
    """The type of a timestamp is kept in the capture; a replay sends the broker's times as its own."""
    topic = made(kafka_broker, unique_run, 1, **{"message.timestamp.type": "LogAppendTime"})
    send(kafka_broker, topic, [(0, messy(0, 10))])
    (rows,) = captured(kafka_broker, tmp_path / "c", topic).values()
    assert all(row.at > AT + 60_000 for row in rows)
    found = open_capture(tmp_path / "c")
    assert found.read(found.entries[0]).column("timestamp_type").to_pylist() == [1] * 10
    assert run(kafka_broker, "replay", tmp_path / "c", "--topic", f"{topic}.copy", "--speed", "max") == 0
    assert run(kafka_broker, "capture", "--verify", tmp_path / "c", "--topic", f"{topic}.copy") == 0


def test_what_kcat_wrote(kafka_broker: Connection, unique_run: str, tmp_path: Path) -> None:
    """Records of another client, with and without keys and headers, compressed, go through unchanged."""
    need_program("kcat", package="kcat")
    topic = made(kafka_broker, unique_run, 1)
    lines = b"".join(b'user%d|{"n": %d, "text": "caf\xc3\xa9 \xff"}\n' % (number % 5, number) for number in range(500))
    for words in (
        ["-K|", "-z", "lz4"],
        ["-K|", "-H", "source=kcat", "-H", "empty"],
        ["-Z", "-z", "gzip"],
        ["-K|", "-Z"],
    ):
        text = b"gone|\n" if words == ["-K|", "-Z"] else lines
        subprocess.run(["kcat", "-P", "-b", kafka_broker.bootstrap_servers, "-t", topic, "-p", "0", *words],
                       input=text, check=True)  # fmt: skip
    (rows,) = captured(kafka_broker, tmp_path / "c", topic).values()
    assert len(rows) == 1_501
    assert (rows[0].key, rows[0].value) == (b"user0", b'{"n": 0, "text": "caf\xc3\xa9 \xff"}')
    assert rows[500].headers[0] == ("source", b"kcat")
    assert (rows[1_500].key, rows[1_500].value) == (b"gone", None)
    copy = f"{topic}.copy"
    assert run(kafka_broker, "replay", tmp_path / "c", "--topic", copy, "--speed", "max") == 0
    read = [
        subprocess.run(
            ["kcat", "-C", "-e", "-q", "-b", kafka_broker.bootstrap_servers, "-t", name, "-o", "beginning",
             "-f", "%p %o %T %h %K %k %S %s\n"], check=True, capture_output=True
        ).stdout
        for name in (topic, copy)
    ]  # fmt: skip
    assert read[0] == read[1]


def test_bounds(kafka_broker: Connection, unique_run: str, tmp_path: Path) -> None:
    """By offsets, by time, by number: what lies within, and nothing else."""
    topic = made(kafka_broker, unique_run)
    rows = [Row(number, AT + 1_000 * number, None, b"%d" % number) for number in range(100)]
    send(kafka_broker, topic, [(0, rows), (1, rows)])

    def offsets(name: str, **bounds: Any) -> dict[int, tuple[int, int]]:
        found = captured(kafka_broker, tmp_path / name, topic, **bounds)
        return {part: (rows[0].offset, rows[-1].offset) for (_, part), rows in found.items()}

    assert offsets("all") == {0: (0, 99), 1: (0, 99)}
    assert offsets("offsets", offsets=("0=10..20", "1=95..")) == {0: (10, 19), 1: (95, 99)}
    assert offsets("one", offsets=("1=5..6",)) == {1: (5, 5)}
    begin, until = "2023-11-14T22:13:25Z", "2023-11-14T22:13:40Z"
    assert offsets("times", begin=begin, until=until) == {0: (5, 19), 1: (5, 19)}
    assert offsets("since", begin=begin) == {0: (5, 99), 1: (5, 99)}
    assert offsets("nothing", begin="-1h") == {}
    assert sum(last + 1 for _, last in offsets("count", count=150).values()) == 150
    with pytest.raises(UsageError, match=r"is not before --until"):
        captured(kafka_broker, tmp_path / "x", topic, begin=until, until=begin)
    with pytest.raises(UsageError, match="exclude each other"):
        captured(kafka_broker, tmp_path / "x", topic, begin=begin, offsets=("0=1..",))
    with pytest.raises(UsageError, match=r"did you mean|known"):
        captured(kafka_broker, tmp_path / "x", topic + "x")


def test_what_is_still_to_come(kafka_broker: Connection, unique_run: str, tmp_path: Path) -> None:
    """With an end ahead, records that arrive meanwhile are captured, too."""
    topic = made(kafka_broker, unique_run)
    send(kafka_broker, topic, [(0, messy(0, 3))])
    later = iter([True])

    def arrive(_read: int, wanted: int | None, records: int) -> None:
        assert wanted is None
        if records == 3 and next(later, False):
            arrived.append(asyncio.get_running_loop().create_task(_send(kafka_broker, topic, [(1, messy(0, 4))])))

    arrived: list[Any] = []
    request = CaptureRequest(kafka_broker, tmp_path / "c", (topic,), Bounds(until="+10s"))
    assert capture(request, arrive).records == 7


def cut(kafka: Connection, path: Path, topic: str) -> None:
    """Capture a topic and break off after the first records."""

    def stop(_read: int, _wanted: int | None, _records: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        capture(CaptureRequest(kafka, path, (topic,), Bounds()), stop)


def test_a_capture_that_was_cut_is_continued(kafka_broker: Connection, topic: str, tmp_path: Path) -> None:
    """Cut anywhere, it goes on where it was, up to the end that was there when it began."""
    path = tmp_path / "c"
    whole = captured(kafka_broker, tmp_path / "whole", topic)
    cut(kafka_broker, path, topic)
    part = part_of(path)
    part.write_bytes(part.read_bytes()[:-9])
    send(kafka_broker, topic, [(0, messy(0, 5))])
    assert run(kafka_broker, "capture", "--out", path, "--topic", topic) == 2
    assert run(kafka_broker, "capture", "--out", path, "--resume") == 0
    assert contents(open_capture(path)) == whole
    assert not part.exists()
    assert run(kafka_broker, "capture", "--out", path, "--topic", topic) == 2


def held(part: Path) -> int:
    """Return how many records the part of a capture holds, 0 while there is none."""
    try:
        return open_capture(part, whole=False).records
    except CaptureError:
        return 0


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_an_interrupted_capture_keeps_what_it_has(
    kafka_broker: Connection, topic: str, tmp_path: Path, ended_by: signal.Signals
) -> None:
    """What was captured of what is still to come is in the part; Ctrl-C names it, with exit code 130."""
    path = tmp_path / "c"
    words = ["capture", "--topic", topic, "--out", str(path), "--from=2020-01-01", "--until", "+1h"]
    process = subprocess.Popen(
        [sys.executable, "-m", "joinstorm.cli", *words, "--bootstrap-servers", kafka_broker.bootstrap_servers],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        until(lambda: held(part_of(path)) == 1_500, "everything is in the part", 120)
        process.send_signal(ended_by)
        _, said = process.communicate(timeout=60)
    assert open_capture(part_of(path), whole=False).records == 1_500
    if ended_by == signal.SIGINT:
        assert process.returncode == 130
        assert f"{part_of(path)} has what was captured; continue it with --resume" in said


def test_a_broker_that_comes_back(unique_run: str, tmp_path: Path) -> None:
    """A broker is killed under a capture and started again: the capture goes on, and misses and repeats nothing."""
    path = tmp_path / "c"
    with own_broker() as broker:
        topic = made(broker.connection, unique_run)
        send(broker.connection, topic, [(0, messy(0)), (1, messy(1))])
        words = ["capture", "--topic", topic, "--out", str(path), "--from=2020-01-01", "--until", "+1h"]
        with subprocess.Popen(
            [sys.executable, "-m", "joinstorm.cli", *words, "--bootstrap-servers", broker.connection.bootstrap_servers]
        ) as process:
            until(lambda: held(part_of(path)) == 600, "what was there is in the part", 120)
            broker.restart()
            send(broker.connection, topic, [(0, messy(2)), (1, messy(3))])
            until(lambda: held(part_of(path)) == 1_200, "what came after the restart is in the part", 120)
            process.send_signal(signal.SIGINT)
    assert process.returncode == 130
    found = without_offsets(contents(open_capture(part_of(path), whole=False)))
    expected = {0: messy(0) + messy(2), 1: messy(1) + messy(3)}
    assert found == {partition: [row._replace(offset=0) for row in rows] for partition, rows in expected.items()}


def test_another_topic_of_the_same_name_is_not_continued(kafka_broker: Connection, topic: str, tmp_path: Path) -> None:
    """A topic that was made again has other records under the same offsets."""
    cut(kafka_broker, tmp_path / "c", topic)
    admin = open_admin(kafka_broker)
    try:
        admin.delete_topics([topic])
    finally:
        admin.close()
    made(kafka_broker, topic)
    request = CaptureRequest(kafka_broker, tmp_path / "c", resume=True)
    with pytest.raises(BrokerError, match=f"topic {topic} was made again"):
        capture(request, lambda _read, _wanted, _records: None)


def test_topics_that_do_not_fit(
    kafka_broker: Connection, topic: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With fewer partitions a topic is refused, unless partitions may be shared; order is kept then."""
    path = tmp_path / "c"
    first = captured(kafka_broker, path, topic)
    small = made(kafka_broker, f"{topic}.small", 1)
    assert run(kafka_broker, "replay", path, "--topic", small, "--speed", "max") == 2
    assert f"topic {small} has 1 partitions and {topic} of the capture has 2" in capsys.readouterr().err
    wrap = ("--partition-map", "wrap")
    assert run(kafka_broker, "replay", path, "--topic", small, "--speed", "max", *wrap) == 0
    ((_, rows),) = captured(kafka_broker, tmp_path / "small", small).items()
    found = [row._replace(offset=0) for row in rows]
    for part, expected in without_offsets(first).items():
        rest = iter(found)
        assert all(row in rest for row in expected), part
    assert len(found) == 1_500


def test_several_topics(kafka_broker: Connection, topic: str, tmp_path: Path) -> None:
    """One file holds several topics, and each is played into its own."""
    other = made(kafka_broker, f"{topic}.other", 1)
    send(kafka_broker, other, [(0, messy(3, 40))])
    path = tmp_path / "c"
    assert run(kafka_broker, "capture", "--topic", topic, "--topic", other, "--out", path) == 0
    pairs = ("--topic", f"{other}={other}.copy", "--topic", f"{topic}={topic}.copy")
    assert run(kafka_broker, "replay", path, "--topic", "x", "--speed", "max") == 2
    assert run(kafka_broker, "replay", path, *pairs, "--speed", "max") == 0
    assert run(kafka_broker, "capture", "--verify", path, *pairs) == 0


def test_timestamps_can_be_moved(kafka_broker: Connection, topic: str, tmp_path: Path) -> None:
    """Moved to now, the times keep their distances and the rest its digest; the answer to --verify is no."""
    path, copy = tmp_path / "c", f"{topic}.copy"
    first = captured(kafka_broker, path, topic)
    words = ("--topic", copy, "--speed", "max", "--timestamps", "shifted")
    assert run(kafka_broker, "replay", path, *words) == 0
    second = without_offsets(captured(kafka_broker, tmp_path / "d", copy))
    (moved,) = {
        row.at - before.at for part, rows in without_offsets(first).items()
        for before, row in zip(rows, second[part], strict=True)
    }  # fmt: skip
    assert moved > 60_000_000_000
    assert run(kafka_broker, "capture", "--verify", path, "--topic", copy) == 1


def test_rounds_and_ranges(kafka_broker: Connection, unique_run: str, tmp_path: Path) -> None:
    """A range by a field of the values, played twice in the same topic at 600 x."""
    topic, copy = made(kafka_broker, unique_run, 1), f"{unique_run}.copy"
    rows = [Row(n, AT, None, b'{"seen":{"at":"2026-01-01T10:%02d:00Z"}}' % n) for n in range(30)]
    send(kafka_broker, topic, [(0, rows)])
    path = tmp_path / "c"
    captured(kafka_broker, path, topic)
    words = (
        "--time-field",
        "seen.at",
        "--time-format",
        "iso",
        "--from",
        "start+10m",
        "--until",
        "2026-01-01T10:15:00Z",
    )
    assert (
        run(
            kafka_broker,
            "replay",
            path,
            "--topic",
            copy,
            "--speed",
            "600",
            "--rounds",
            "2",
            *words,
            "--pace",
            "start+12m=1200",
        )
        == 0
    )
    ((_, found),) = captured(kafka_broker, tmp_path / "d", copy).items()
    assert [row.value for row in found] == [row.value for row in rows[10:15]] * 2


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["capture"], "expected --topic TOPIC and --out FILE", 2),
        (["capture", "--digest", "{tmp}/none"], "there is no such capture", 2),
        (["capture", "--digest", "{tmp}/x", "--count", "1"], "--digest and bounds exclude each other", 2),
        (["capture", "--out", "{tmp}/none", "--resume"], "there is no such capture", 2),
        (["capture", "--out", "{tmp}/none", "--topic", "no such"], "unknown topic", 2),
        (["replay", "{tmp}/c"], "--topic", 2),
        (["replay", "{tmp}/c", "--topic", "x", "--window", "5"], "--window is for tapes", 2),
        (["replay", "{tmp}/c", "--topic", "x", "--fault", "corrupt=1"], "--fault corrupt", 2),
        (["replay", "{tmp}/c", "--topic", "x", "--time-field", "nothing"], "none of its 1,500 records has a time", 2),
        (["replay", "{tmp}/c", "--topic", "x", "--from", "+9h"], "outside", 2),
    ],
)
def test_what_cannot_be_is_one_line(
    kafka_broker: Connection, topic: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    words: list[str], said: str, code: int,
) -> None:  # fmt: skip
    """A request that cannot be met ends with its exit code and says why."""
    captured(kafka_broker, tmp_path / "c", topic)
    assert run(kafka_broker, *(word.format(tmp=tmp_path) for word in words)) == code
    assert said in capsys.readouterr().err


def test_no_broker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a broker the exit code is that of a missing environment, and no file is left."""
    assert run(Connection("127.0.0.1:1"), "capture", "--topic", "t", "--out", tmp_path / "c") == 3
    assert "127.0.0.1:1" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
