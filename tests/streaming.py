"""Runs on a real broker for tests of engines: somebody who sends, workers as processes, and what was published."""

import random
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from kafka import KafkaProducer

from joinstorm.run.supervisor import ChildProcess, Supervisor, joinstorm
from producers.replay.opening import open_run
from streams.contract.events import Mark, MarkKind, Presence, Tweet, encode
from streams.contract.progress import Covered, ProgressBook
from streams.contract.results import Result, decode_audience, decode_progress, decode_reaction, summed
from streams.contract.runinfo import RunInfo
from streams.contract.topics import INPUTS, RESULTS_AUDIENCE, RESULTS_PROGRESS, RESULTS_REACTION
from streams.kafka.connection import Connection
from streams.kafka.topicreader import read_all
from tests.oracle import END, NUMBERS, TALK_START, Oracle, TableOfCounts, event_of
from tests.tinytape import tiny_info

Event = Presence | Tweet
PEOPLE = 400


def open_night(kafka: Connection, run: str, events: int, *, partitions: int = 2) -> RunInfo:
    """Open a run of the long night of ``tests.oracle``."""
    tape = tiny_info(events, PEOPLE, end=END, talk_start=TALK_START, thread="123")
    return open_run(kafka, tape, run=run, partitions=partitions)


def random_night(events: int, seed: int) -> list[Event]:
    """Return events of many people in no order of life, but in order of time."""
    rng = random.Random(seed)
    drawn = [event_of(rng.randrange(NUMBERS), 0, PEOPLE) for _ in range(events)]
    drawn.sort(key=lambda event: event.at)
    return [_numbered(event, number) for number, event in enumerate(drawn)]


def _numbered(event: Event, number: int) -> Event:
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return type(event)(**{**fields, "event_id": number})


class Feed:
    """Sends events, marks and anything else into the input topics of a run; a context manager.

    Args:
        kafka: Where the broker is.
        info: The run.
        options: Settings of the kafka-python producer.
    """

    def __init__(self, kafka: Connection, info: RunInfo, **options: object) -> None:
        settings = {"linger_ms": 5, "batch_size": 1 << 14, **options}
        self.info = info
        self.producer = KafkaProducer(**kafka.for_kafka_python(), **settings)
        self._names = info.names()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.producer.close(timeout=10)

    def send(self, events: Iterable[Event]) -> None:
        """Send events, each under the key of its person."""
        for event in events:
            person = event.listener if isinstance(event, Presence) else event.author
            topic = self._names.presence if isinstance(event, Presence) else self._names.tweets
            self.producer.send(topic, encode(event), key=str(person).encode(), timestamp_ms=event.at)

    def raw(self, base: str, partition: int, value: bytes | None) -> None:
        """Send any bytes."""
        self.producer.send(self._names.input(base), value, key=b"1", partition=partition)

    def mark(self, kind: MarkKind, at: int) -> None:
        """Send a mark to every partition."""
        mark = encode(Mark(mark=kind, at=at, run=self.info.run, v=1))
        for base in INPUTS:
            for partition in range(self.info.partitions):
                self.producer.send(self._names.input(base), mark, partition=partition, timestamp_ms=at)

    def end(self) -> None:
        """Send the end marks and wait for everything to be acknowledged."""
        self.mark(MarkKind.END, self.info.end)
        self.producer.flush(timeout=30)


class Workers:
    """Workers of one engine as processes of their own.

    Args:
        supervisor: Ends them.
        kafka: Where the broker is.
        info: The run.
        options: Further options of ``joinstorm stream``.
    """

    def __init__(self, supervisor: Supervisor, kafka: Connection, info: RunInfo, *options: str) -> None:
        self.parts: dict[int, ChildProcess] = {}
        self._supervisor = supervisor
        self._options = ["--bootstrap-servers", kafka.bootstrap_servers, "--run", info.run, *options]

    def start(self, number: int) -> ChildProcess:
        """Start the worker with a number, again if it was there before."""
        command = joinstorm("-v", "stream", *self._options, "--worker", str(number), "--format", "json")
        self.parts[number] = self._supervisor.start(f"worker-{number}", command)
        return self.parts[number]

    def wait(self, seconds: float = 60) -> None:
        """Wait until every worker that still runs has ended well."""
        deadline = time.monotonic() + seconds
        for part in self.parts.values():
            code = part.wait(max(0.1, deadline - time.monotonic()))
            if code == -9:
                continue
            assert code == 0, f"{part.name}: exit code {code}\n{part.log.read_text()[-4000:]}"


def published(kafka: Connection, info: RunInfo, engine: str = "faust") -> tuple[TableOfCounts, TableOfCounts, Covered]:
    """Return the final counts and the progress an engine has published."""
    names = info.names()
    results: dict[str, list[Result]] = {RESULTS_AUDIENCE: [], RESULTS_REACTION: []}
    book = ProgressBook()
    base = {names.shared(b): b for b in (RESULTS_AUDIENCE, RESULTS_REACTION, RESULTS_PROGRESS)}
    decoders: dict[str, Callable[[bytes], Result]] = {
        RESULTS_AUDIENCE: decode_audience,
        RESULTS_REACTION: decode_reaction,
    }
    for record in read_all(kafka, *base):
        topic = base[record.topic]
        if topic == RESULTS_PROGRESS:
            progress = decode_progress(record.value)
            if (progress.run, progress.engine) == (info.run, engine):
                book.put(progress)
        else:
            result = decoders[topic](record.value)
            if (result.run, result.engine) == (info.run, engine):
                results[topic].append(result)
    covered = book.covered(info.partitions)
    return summed(results[RESULTS_AUDIENCE]), summed(results[RESULTS_REACTION]), covered


def assert_exact(kafka: Connection, info: RunInfo, events: Iterable[Event], engine: str = "faust") -> Covered:
    """Compare everything published with the naive oracle, and return the progress."""
    audience, reaction, covered = published(kafka, info, engine)
    oracle = Oracle(info, events)
    assert covered.ended, covered
    assert audience == oracle.audience
    assert reaction == oracle.reaction
    assert sum(covered.events.values()) == len(oracle.presence) + len(oracle.tweets)
    return covered


def until(holds: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Wait for a state."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)
