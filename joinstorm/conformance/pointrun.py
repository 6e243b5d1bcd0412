"""One run for one point of the certificate: records sent by hand, workers as processes, results read back."""

import contextlib
import itertools
import os
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from aiokafka import ConsumerRecord
from kafka import KafkaProducer
from kafka.errors import KafkaError

from joinstorm.conformance.keptletters import expected_dead_letters, wrong_dead_letters
from joinstorm.conformance.nightmarks import common_watermarks
from joinstorm.conformance.nights import body_and_ends
from joinstorm.conformance.pointfigures import PointFigures, measure, until
from joinstorm.conformance.promises import WrittenRecord, decoded
from joinstorm.engines.undertest import EngineUnderTest
from joinstorm.run.supervisor import ChildProcess, Supervisor, joinstorm
from joinstorm.verdict.comparison import without
from joinstorm.verdict.verdicts import final_tables, problems
from producers.replay.opening import publish_once
from producers.replay.topiccreation import ensure_topics
from streams.contract import runinfo
from streams.contract.deadletters import REASON
from streams.contract.progress import Covered
from streams.contract.topics import (
    DEAD_LETTERS,
    INPUTS,
    RESULTS_AUDIENCE,
    RESULTS_PROGRESS,
    RESULTS_REACTION,
    RUN_INFO,
    TopicSpec,
)
from streams.errors import BrokerError, DeadlineError, DeliveryError, EngineError
from streams.golden import NIGHTS, GoldenNight, InputRecord
from streams.kafka.closing import close_producer
from streams.kafka.connection import Connection
from streams.kafka.patience import patiently
from streams.kafka.progressreader import published
from streams.kafka.topicreader import read_all
from streams.read.derive import FinalCounts
from streams.read.reader import ResultReader
from streams.read.runview import RunView

SEND_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.1
NAMED: Final = 3
"""How many invalid results are named when an engine gives no answer."""
LOG_APPEND_TIME: Final = 1
"""The timestamp type of a record whose time is the broker's."""
GRACE_SECONDS: Final = 3.0
"""How long results may become visible after the progress that covers them: readers read several topics."""


class PointRun:
    """Context manager: inside, a run is open on the broker; its workers end with the block.

    Args:
        connection: The broker.
        engine: The engine under test.
        night: What is sent and what is expected.
        logs: Folder for the workers' logs and state.
        cancelled: Set by another thread when nobody waits for the outcome any more.
    """

    def __init__(
        self,
        connection: Connection,
        engine: EngineUnderTest,
        night: GoldenNight,
        logs: Path,
        cancelled: threading.Event | None = None,
    ) -> None:
        self.connection = connection
        self.cancelled = cancelled or threading.Event()
        self.engine = engine
        self.logs = logs
        self.counts: Callable[[FinalCounts], FinalCounts] = without
        """What is compared; durations and breakdowns, which an engine need not publish, have points of their own."""
        run = f"{night.name}-{uuid.uuid4().hex[:8]}"
        self.night = night.moved(run, f"{run}.")
        self.info = self.night.info
        self.body, self.ends = body_and_ends(self.night)
        self.watermarks = common_watermarks(self.body, self.info.partitions)
        self.events = list(itertools.accumulate((r.key is not None for r in self.body), initial=0))
        self.seconds = engine.deadline(golden=night.name in NIGHTS)
        self.workers: dict[int, ChildProcess] = {}
        self.supervisor = Supervisor(logs)
        self.reader = ResultReader(connection, prefix=self.info.prefix, run=run)
        self.producer: Any = None
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Create the topics, publish run.info, and begin to read results."""
        names = self.info.names()
        specs = names.specs(self.info.partitions)
        ensure_topics(self.connection, specs[: len(INPUTS)], [_timed(spec) for spec in specs[len(INPUTS) :]], 1)
        publish_once(self.connection, names.shared(RUN_INFO), self.info.run, runinfo.encode(self.info))
        with contextlib.ExitStack() as stack:
            self.producer = KafkaProducer(**self.connection.for_kafka_python(), linger_ms=20, batch_size=1 << 18)
            stack.callback(close_producer, self.producer, SEND_SECONDS)
            stack.enter_context(self.reader)
            stack.enter_context(self.supervisor)
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the workers and all clients."""
        self._open.close()

    def send(self, records: Sequence[InputRecord]) -> None:
        """Send records in order and wait until the broker has acknowledged them.

        Raises:
            DeliveryError: It has not acknowledged them all.
        """
        sent = [
            self.producer.send(
                self.info.topics[r.topic], r.value, key=r.key, partition=r.partition, timestamp_ms=r.timestamp
            )
            for r in records
        ]
        self.producer.flush(timeout=SEND_SECONDS)
        failed = sum(not future.succeeded() for future in sent)
        if failed:
            raise DeliveryError(f"{failed} of {len(sent)} records were not acknowledged within {SEND_SECONDS:.0f} s")

    def start(self, worker: int = 0, *further: str) -> ChildProcess:
        """Start a worker, or start it again."""
        where = ["--bootstrap-servers", self.connection.bootstrap_servers, "--run", self.info.run]
        where += ["--topic-prefix", self.info.prefix, "--worker", str(worker), "--name", self.engine.name]
        state = ["--option", f"state_dir={self.logs / 'state'}"]
        command = joinstorm("stream", *self.engine.start, *where, *state, *further)
        part = self.supervisor.start(f"worker-{worker}", command, self.connection.environ(os.environ))
        self.workers[worker] = part
        return part

    def wait(self, predicate: Callable[[RunView], bool], what: str) -> RunView:
        """Wait for a state of the results; give up when a worker fails or none is left.

        Raises:
            EngineError: A worker failed, none is left, or the state did not come in time; the text has the last log
                lines.
        """
        deadline = time.monotonic() + self.seconds
        while True:
            try:
                return self.reader.wait_for(predicate, POLL_SECONDS, what)
            except DeadlineError as error:
                seen = str(error).partition("; ")[2]
            self._check_workers(what)
            # Workers may have ended before everything they wrote has been read: then it is waited for.
            if self._all_gone() and not self._published().ended:
                raise EngineError(f"{what}: every worker ended before; {self._missing()}{self._wrong()}{self._tails()}")
            if time.monotonic() > deadline:
                seen = f"{seen}; {self._missing()}"
                raise EngineError(f"{what}: not within {self.seconds:g} s; {seen}{self._wrong()}{self._tails()}")

    def _check_workers(self, what: str) -> None:
        if self.cancelled.is_set():
            raise EngineError(f"{what}: interrupted")
        failed = [part for part in self.workers.values() if part.exit_code()]
        if failed:
            code = failed[0].exit_code()
            raise EngineError(f"{what}: a worker ended with exit code {code}; the end of its log:\n{failed[0].tail()}")

    def _all_gone(self) -> bool:
        return bool(self.workers) and all(part.exit_code() is not None for part in self.workers.values())

    def _published(self) -> Covered:
        """Return what the engine has published until now, read to the end of the topic."""
        try:
            return published(self.connection, self.info, self.engine.name, self.seconds)
        except KafkaError as error:
            raise BrokerError(f"{self.connection.bootstrap_servers}: {error}") from error

    def _missing(self) -> str:
        """Return what the engine lacks, who else wrote progress, and what is often the cause."""
        covered, name = self._published(), self.engine.name
        counted, sent = sum(covered.events.values()), sum(t.events for t in self.night.expected.totals.values())
        text = f"no progress with ended under the name {name!r} for {', '.join(covered.missing) or 'nothing'}"
        others = sorted(set(self.reader.snapshot().engines) - {name})
        text += f"; progress of this run is under other names: {', '.join(others)}" if others else ""
        missed = f"; {counted:,} of {sent:,} events counted: read from offset 0?" if counted < sent else ""
        return text + missed

    def _wrong(self) -> str:
        """Return the first invalid results of the engine."""
        rejections = [record for record in self.reader.snapshot().rejections if record.engine == self.engine.name]
        return "".join(
            f"; {record.source} is not a valid result: {record.reason}, {record.detail}"
            for record in rejections[:NAMED]
        )

    def _tails(self) -> str:
        tails = [part.tail() for part in self.workers.values()]
        return "".join(f"\nthe end of its log:\n{tail}" for tail in tails if tail)

    def wait_done(self) -> RunView:
        """Wait until the engine has ended on every partition and everything it wrote has been read."""
        name = self.engine.name
        return self.wait(lambda view: name in view.engines and view.engines[name].drained, f"the end of {name}")

    def wait_watermark(self, at: int) -> RunView:
        """Wait until the engine's watermark is at event time ``at`` or later, on every partition."""
        name = self.engine.name

        def reached(view: RunView) -> bool:
            mark = view.engines[name].covered.watermark if name in view.engines else None
            return mark is not None and mark >= at

        return self.wait(reached, f"watermark {at - self.info.start} ms after the start, on every partition")

    def wait_counted(self, done: int, seconds: float) -> None:
        """Wait until the engine reports the events among the first ``done`` records; go on after so many seconds."""
        name, sent = self.engine.name, self.events[done]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            view = self.reader.snapshot()
            if name in view.engines and sum(view.engines[name].covered.events.values()) >= sent:
                return
            self._check_workers("counting")
            time.sleep(POLL_SECONDS)

    def send_until(self, share: float, done: int = 0) -> tuple[int, int]:
        """Send the body of the night from record ``done`` up to a share of it, and on until the watermark has advanced.

        Returns:
            The next record to send, and the watermark sent to every partition so far.
        """
        until = max(done, int(len(self.body) * share))
        before = self.watermarks[done]
        while until < len(self.body) and self.watermarks[until] <= before:
            until += 1
        self.send(self.body[done:until])
        return until, self.watermarks[until]

    def send_rest(self, done: int) -> None:
        """Send the body of the night from record ``done`` on, and the end marks."""
        self.send([*self.body[done:], *self.ends])

    def play_body(self) -> int:
        """Send everything but the end marks, wait until the engine has reached the last watermark, and return it."""
        self.send(self.body)
        self.wait_watermark(self.watermarks[-1])
        return self.watermarks[-1]

    def written(self) -> list[WrittenRecord]:
        """Return everything on the result topics that is a result, in the order of each topic."""
        bases = (RESULTS_AUDIENCE, RESULTS_REACTION, RESULTS_PROGRESS)
        names = {self.info.topics[base]: base for base in bases}
        found = []
        for r in self.read(*bases):
            source = f"{r.topic}[{r.partition}]@{r.offset}"
            at = r.timestamp if r.timestamp_type == LOG_APPEND_TIME else None
            found.append(decoded(names[r.topic], source, at, r.key, r.value))
        return [one for one in found if one is not None]

    def dead_letters(self) -> list[str]:
        """Return what is wrong with the dead letters on their topic: missing, of another reason or with other bytes."""
        wanted = expected_dead_letters(self.night, self.info)
        kept = {}
        for record in self.read(DEAD_LETTERS):
            reason = dict(record.headers).get(REASON, b"").decode(errors="replace")
            kept[(record.key or b"").decode(errors="replace")] = (reason, record.value or b"")
        return list(wrong_dead_letters(wanted, kept))

    def read(self, *bases: str) -> list[ConsumerRecord]:
        """Return every record of topics, given by base name."""
        return patiently(lambda: read_all(self.connection, *(self.info.topics[base] for base in bases)))

    def compare(self, view: RunView, *, before: int | None = None) -> PointFigures:
        """Compare the engine's counts with the expected ones.

        Args:
            view: The results read so far.
            before: Only windows that end at or before this event time.
        """
        known = view.engines.get(self.engine.name)
        counted = final_tables(known) if known else FinalCounts({}, {}, {})
        expected = FinalCounts(self.night.expected.audience, self.night.expected.reaction, {})
        counted, expected = self.counts(counted), self.counts(expected)
        if before is not None:
            counted, expected = (until(tables, before - self.info.window_ms) for tables in (counted, expected))
        return measure(counted, expected, self.info)

    def settle(self, at: int) -> PointFigures:
        """Compare the windows that end at or before a reported watermark; waits for results still to arrive."""
        try:
            view = self.reader.wait_for(
                lambda view: not self.compare(view, before=at).comparison.mismatches,
                GRACE_SECONDS,
                "the results of a watermark",
            )
        except DeadlineError:
            view = self.reader.snapshot()
        return self.compare(view, before=at)

    def problems(self, view: RunView) -> tuple[str, ...]:
        """Return what is wrong besides counts."""
        return problems(view, self.engine.name)


def _timed(spec: TopicSpec) -> TopicSpec:
    """Have the broker write when it appended a result: which of two came first shows across topics, then."""
    if spec.name.rpartition("results.")[1]:
        return replace(spec, configs={**spec.configs, "message.timestamp.type": "LogAppendTime"})
    return spec
