"""The result reader against a real broker."""

import time
from collections.abc import Callable, Iterable

import msgspec
import pytest
from kafka import KafkaProducer

from producers.replay.topiccreation import ensure_topics
from streams.contract.results import AudienceResult, Progress, ReactionResult, Result, encode, key_of
from streams.contract.runinfo import RunInfo
from streams.contract.runinfo import encode as encode_run
from streams.contract.topics import (
    INPUTS,
    PRESENCE,
    RESULTS_AUDIENCE,
    RESULTS_PROGRESS,
    RESULTS_REACTION,
    RUN_INFO,
    TWEETS,
    Topics,
)
from streams.errors import BrokerError, DeadlineError
from streams.kafka.connection import Connection
from streams.read.reader import ResultReader
from streams.system.threads import poll_until
from tests.nights import START, WINDOW, run_info

pytestmark = pytest.mark.integration
SECONDS = 30.0
TOPIC_OF: dict[type, str] = {
    AudienceResult: RESULTS_AUDIENCE,
    ReactionResult: RESULTS_REACTION,
    Progress: RESULTS_PROGRESS,
    RunInfo: RUN_INFO,
}
Write = Callable[[Iterable[Result | Progress | RunInfo]], None]


@pytest.fixture
def prefix(unique_run: str) -> str:
    """Return a topic prefix of this test alone."""
    return f"{unique_run}."


@pytest.fixture
def write(kafka: Connection, prefix: str) -> Write:
    """Create the shared topics; return a function that writes records to the ones they belong to."""
    names = Topics("run-1", prefix)
    ensure_topics(kafka, [], [s for s in names.specs() if s.name not in (names.presence, names.tweets)], 1)

    def send(records: Iterable[Result | Progress | RunInfo]) -> None:
        producer = KafkaProducer(**kafka.for_kafka_python())
        for record in records:
            topic = names.shared(TOPIC_OF[type(record)])
            if isinstance(record, RunInfo):
                producer.send(topic, encode_run(record), record.run.encode())
            else:
                producer.send(topic, encode(record), key_of(record))
        producer.flush()
        producer.close()

    return send


def audience(run: str, window: int, joins: int, version: int = 1) -> Result:
    """Return an audience result of the engine e."""
    return AudienceResult(1, run, "e", START + window * WINDOW, "first", "0", version, {"joins": joins})


def ended(run: str, topic: str) -> Progress:
    """Return the end of a topic of two partitions by the engine e."""
    return Progress(1, run, "e", topic, "0", (0, 1), 1, START, True, 1, 0, 0)


def test_what_was_written_is_read_and_the_end_is_seen(kafka: Connection, prefix: str, write: Write) -> None:
    """A reader that starts before the topics' records sees them all, the greatest versions, and then the end."""
    with ResultReader(kafka, prefix=prefix) as reader:
        write([run_info(prefix=prefix)])
        assert reader.wait_for_run(SECONDS).run == "run-1"
        write([audience("run-1", 0, 9, version=3), audience("run-1", 0, 5, version=2), audience("run-1", 1, 2)])
        write([ended("run-1", topic) for topic in INPUTS])
        view = reader.wait_until_drained(["e"], SECONDS)
        assert reader.drained("e")
        assert not reader.drained("nobody")
    now = view.now("e")
    assert now is not None
    assert now.presence("first", "joins") == 11
    assert view.records[RESULTS_AUDIENCE] == 3


def test_everything_written_at_a_moment_has_been_read_once_the_reader_says_so(
    kafka: Connection, prefix: str, write: Write
) -> None:
    """Round by round: results and the progress that covers them are in the next view."""
    with ResultReader(kafka, prefix=prefix) as reader:
        write([run_info(prefix=prefix)])
        reader.wait_for_run(SECONDS)
        for window in range(5):
            progress = msgspec.structs.replace(ended("run-1", PRESENCE), version=window + 1, events=window + 1)
            write([audience("run-1", window, 1), progress])
            moment = time.monotonic()
            assert poll_until(lambda: reader.read_since(moment) or None, SECONDS)  # noqa: B023 - called in this round
            view = reader.snapshot()
            assert view.records[RESULTS_AUDIENCE] == window + 1
            assert view.engines["e"].covered.events[PRESENCE] == window + 1


def test_a_newer_run_is_followed_with_all_its_results(kafka: Connection, prefix: str, write: Write) -> None:
    """Results of the next run that were there before its information are not lost."""
    with ResultReader(kafka, prefix=prefix) as reader:
        write([run_info("run-1", prefix=prefix, created_ms=1), audience("run-1", 0, 1)])
        reader.wait_for(lambda view: "e" in view.engines, SECONDS, "a result")
        write([audience("run-2", k, 1) for k in range(10)])
        reader.wait_for(lambda view: view.records[RESULTS_AUDIENCE] == 11, SECONDS, "the results of the next run")
        write([run_info("run-2", prefix=prefix, created_ms=2)])
        write([ended("run-2", topic) for topic in INPUTS])
        view = reader.wait_until_drained(["e"], SECONDS)
    assert view.info is not None
    assert view.info.run == "run-2"
    now = view.now("e")
    assert now is not None
    assert now.presence("first", "joins") == 10


def test_waiting_for_what_does_not_come_says_what_was_seen(kafka: Connection, prefix: str, write: Write) -> None:
    """The error names the state that was waited for, and the partition whose end is missing."""
    write([run_info(prefix=prefix), ended("run-1", TWEETS)])
    with ResultReader(kafka, prefix=prefix, run="run-1") as reader:
        reader.wait_for(lambda view: "e" in view.engines, SECONDS, "a record of the engine")
        with pytest.raises(DeadlineError, match=rf"the end of e: .*{PRESENCE}\[0\], {PRESENCE}\[1\]"):
            reader.wait_until_drained(["e"], 0.3)


def test_a_reader_may_come_first(kafka: Connection, prefix: str) -> None:
    """A reader that starts before there is any topic waits, says so, and can be stopped."""
    with ResultReader(kafka, prefix=prefix) as reader, pytest.raises(DeadlineError, match=r"runs in run\.info: none"):
        reader.wait_for_run(0.3)


def test_no_broker_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address without a broker is an error that names it."""
    monkeypatch.setattr("streams.read.reader.CONNECT_SECONDS", 0.5)
    with pytest.raises(BrokerError, match=r"127\.0\.0\.1:9"), ResultReader(Connection("127.0.0.1:9")):
        pass
