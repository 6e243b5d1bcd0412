"""Reads a run's information, status and results from Kafka in a background thread."""

import asyncio
import contextlib
import math
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from streams.contract.runinfo import RunInfo
from streams.contract.topics import RESULTS_PROGRESS, RUN_INFO
from streams.errors import AwayError, BrokerError, DeadlineError
from streams.kafka.admin import PROBE_SECONDS, why_unreachable
from streams.kafka.connection import Connection
from streams.kafka.places import partitions_of
from streams.read.follower import RESULTS, TOPICS, Follower
from streams.read.runview import RunView

CONNECT_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
POLL_MS: Final = 100
MIN_WAIT_SECONDS: Final = 0.02
"""Shortest time between two checks by a waiting caller."""
_TUNING: Final[dict[str, Any]] = {
    "group_id": None,
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "fetch_max_wait_ms": POLL_MS,
    "max_partition_fetch_bytes": 8 << 20,
    "metadata_max_age_ms": 30_000,
    "request_timeout_ms": 15_000,  # of connections gone silent, one is noticed after the other
}
_MAX_RECORDS: Final = 20_000
SLICE: Final = 2_000
"""Records processed under one lock, some 20 ms: the longest a concurrent caller, such as a scrape, has to wait."""
PAUSE_SECONDS: Final = 0.001
"""Time between two slices in which waiting callers get the lock."""
_Batches: TypeAlias = dict[TopicPartition, list[ConsumerRecord]]


class ResultReader:
    """Context manager that follows one run: ``with ResultReader(connection) as reader: reader.snapshot()``.

    Memory grows with the results of the run it follows, not with the number of runs or versions.

    Args:
        connection: Where the broker is.
        prefix: The prefix of the topic names.
        run: The run to follow; by default the newest one, switching to a newer one when it is opened.

    Raises:
        BrokerError: No broker answered within 30 s (on entering).
    """

    def __init__(self, connection: Connection, *, prefix: str = "", run: str | None = None) -> None:
        self.connection = connection
        self.names = {prefix + base: base for base in TOPICS}
        self._follower = Follower(run)
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._failure: BaseException | None = None
        self._missing_topics: list[str] = []
        """Topics that do not exist, or that the client may not see."""
        self._connected = threading.Event()
        self._stopping = threading.Event()
        self._held: list[_Batches] = []
        """Progress that has been read, and waits for the results it covers."""
        self._covering: dict[TopicPartition, int] = {}
        """Ends of the results when the first of it was read."""
        self._asked = -math.inf
        """The latest moment that a caller of ``read_since`` named."""
        self._target: tuple[float, dict[TopicPartition, int]] | None = None
        """Ends of the results, and the moment before they were asked for."""
        self._read_since = -math.inf
        self._thread = threading.Thread(target=self._work, name="result-reader", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._connected.wait(CONNECT_SECONDS + PROBE_SECONDS + 1)
        self.check()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop reading; ``snapshot`` still returns the last state."""
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    def snapshot(self) -> RunView:
        """Return the current view of the run; thread-safe.

        Raises:
            BrokerError: Reading has failed permanently.
        """
        self.check()
        with self._lock:
            return self._follower.view()

    def topics(self) -> dict[str, str]:
        """Return the topics of the run, base name to full name; before a run is known, those shared by all runs."""
        with self._lock:
            state = self._follower.state
        return {base: name for name, base in self.names.items()} if state is None else state.info.topics

    def wait_for(self, predicate: Callable[[RunView], bool], seconds: float, what: str) -> RunView:
        """Wait until ``predicate`` holds and return the view it held for.

        Args:
            predicate: Checked again after new records.
            seconds: How long to wait.
            what: Description of the state, for the error.

        Raises:
            BrokerError: Reading has failed permanently.
            DeadlineError: It did not hold in time; the text says what was seen instead.
        """
        found: list[RunView] = []

        def holds() -> bool:
            view = self._follower.view()
            if predicate(view):
                found.append(view)
            return bool(found)

        self._wait(holds, seconds, what)
        return found[0]

    def wait_for_run(self, seconds: float) -> RunInfo:
        """Wait until the run is known and return its information; raises like ``wait_for``."""
        what = "a run in run.info" if self._follower.wanted is None else f"run {self._follower.wanted} in run.info"
        self._wait(lambda: self._follower.state is not None, seconds, what)
        assert self._follower.state is not None
        return self._follower.state.info

    def wait_until_drained(self, engines: Sequence[str], seconds: float) -> RunView:
        """Wait until engines have ended and everything they wrote has been read; raises like ``wait_for``."""
        what = f"the end of {' and '.join(engines)}"
        self._wait(lambda: all(self._follower.drained(name) for name in engines), seconds, what)
        return self.snapshot()

    def _wait(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait until ``holds`` is true; it is called under the lock, after new records."""
        deadline = time.monotonic() + seconds
        while True:
            self.check()
            with self._changed:
                if holds():
                    return
                if not self._changed.wait(deadline - time.monotonic()):
                    raise DeadlineError(f"{what}: not within {seconds:g} s; {self._seen()}")
            self._stopping.wait(MIN_WAIT_SECONDS)

    def _seen(self) -> str:
        seen = self._follower.seen()
        if self._missing_topics:
            seen += f"; missing, or not visible to {self.connection.who()}: {', '.join(self._missing_topics)}"
        return seen

    def drained(self, engine: str) -> bool:
        """Whether an engine has ended on all partitions and the result topics have been read to their ends since."""
        self.check()
        with self._lock:
            return self._follower.drained(engine)

    def read_since(self, moment: float) -> bool:
        """Whether everything that had been written to the result topics at a moment has been read.

        The first call has the ends of the topics asked for, so that a later one can be true.

        Args:
            moment: In the past, in seconds of ``time.monotonic``.
        """
        self.check()
        self._asked = max(self._asked, moment)
        return self._read_since >= moment

    def check(self) -> None:
        """Raise BrokerError if reading has failed permanently."""
        if isinstance(self._failure, BrokerError):
            raise self._failure
        if self._failure is not None:
            raise BrokerError(
                f"no results from {self.connection.bootstrap_servers}: {self._failure}"
            ) from self._failure

    def _work(self) -> None:
        try:
            asyncio.run(self._main())
        except Exception as error:  # noqa: BLE001 - raised again in the callers' threads
            self._failure = error
        finally:
            self._connected.set()
            with self._changed:
                self._changed.notify_all()

    async def _main(self) -> None:
        consumer = await self._connect()
        try:
            self._connected.set()
            if await self._assigned(consumer):
                await self._read(consumer)
        finally:
            # aiokafka passes the cancellation of its own fetches on to the caller of stop()
            with contextlib.suppress(asyncio.TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(consumer.stop(), STOP_SECONDS)

    async def _connect(self) -> AIOKafkaConsumer:
        """Return a started consumer; retries while nothing listens at the address, as the broker may be starting.

        Raises:
            BrokerError: The broker refuses, or nothing has listened for ``CONNECT_SECONDS``.
        """
        started = time.monotonic()
        while True:
            consumer = AIOKafkaConsumer(**{**_TUNING, **self.connection.for_aiokafka()})
            try:
                await asyncio.wait_for(consumer.start(), CONNECT_SECONDS)
            except (KafkaError, TimeoutError) as error:
                await consumer.stop()
                waited = time.monotonic() - started
                why = await why_unreachable(self.connection, error, waited)
                if not isinstance(why, AwayError) or waited > CONNECT_SECONDS or self._stopping.is_set():
                    raise why from error
                await asyncio.sleep(POLL_MS / 1000)
            else:
                return consumer

    async def _assigned(self, consumer: AIOKafkaConsumer) -> bool:
        """Wait for the topics, then assign all their partitions; False if stopped before. Never creates a topic."""
        while missing := set(self.names) - set(known := await _known(consumer, self.names)):
            self._missing_topics = sorted(missing)
            if self._stopping.is_set():
                return False
            await asyncio.sleep(POLL_MS / 1000)
        self._missing_topics = []
        consumer.assign([place for places in known.values() for place in places])
        consumer.pause(*self._partitions(consumer, RESULTS))
        return True

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        """Read until stopped. Results are paused until the run is known: only then can they be assigned to it."""
        results = self._partitions(consumer, RESULTS)
        while not self._stopping.is_set():
            batches: _Batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=_MAX_RECORDS)
            progress = self._partitions(consumer, (RESULTS_PROGRESS,))
            self._hold({partition: batches.pop(partition) for partition in progress if partition in batches})
            await self._accept(batches)
            with contextlib.suppress(KafkaError):  # the broker may be away for a while; retried next time
                await self._release(consumer)
            with self._changed:
                back = self._follower.take_rewind()
                self._changed.notify_all()
            for partition, offset in back.items():
                consumer.seek(partition, offset)
            if consumer.paused() and self._follower.state and await self._at_end(consumer, (RUN_INFO,)):
                consumer.resume(*results)
            with contextlib.suppress(KafkaError):  # the broker may be away for a while; retried next time
                await self._note_drained(consumer, results)
                await self._note_read(consumer, results)

    def _hold(self, progress: _Batches) -> None:
        if progress:
            self._held.append(progress)

    async def _release(self, consumer: AIOKafkaConsumer) -> None:
        """Process progress once the results it covers have been read: all that had been written by then.

        A fetch may bring progress without those results: the broker looks into one partition after the other, and the
        client does not fetch from a partition that it still has records of.
        """
        counts = self._partitions(consumer, [base for base in RESULTS if base != RESULTS_PROGRESS])
        if self._held and not self._covering:
            self._covering = await consumer.end_offsets(counts)
            self._held = [_joined(self._held)]
        if self._covering and await _reached(consumer, self._covering):
            await self._accept(self._held.pop(0))
            self._covering = {}

    async def _accept(self, batches: _Batches) -> None:
        """Process what was read."""
        for partition, records in sorted(batches.items(), key=lambda item: TOPICS.index(self.names[item[0].topic])):
            for start in range(0, len(records), SLICE):
                if start:
                    await asyncio.sleep(PAUSE_SECONDS)
                with self._changed:
                    self._follower.accept(self.names[partition.topic], partition, records[start : start + SLICE])

    async def _note_drained(self, consumer: AIOKafkaConsumer, results: Sequence[TopicPartition]) -> None:
        state = self._follower.state
        for engine in state.ended() if state else ():
            ends = self._follower.ends.get(engine)
            if ends is None:
                ends = self._follower.ends[engine] = await consumer.end_offsets(results)
            if await _reached(consumer, ends):
                with self._changed:
                    if self._follower.state is state and state is not None:
                        state.mark_drained(engine)
                    self._changed.notify_all()

    async def _note_read(self, consumer: AIOKafkaConsumer, results: Sequence[TopicPartition]) -> None:
        """Answer ``read_since``: nothing read is held back, and all is read to ends that were asked for later."""
        if self._read_since >= self._asked:
            return
        if self._target is None or self._target[0] < self._asked:
            began = time.monotonic()
            self._target = began, await consumer.end_offsets(results)
        began, ends = self._target
        if not self._held and await _reached(consumer, ends):
            self._read_since = began

    async def _at_end(self, consumer: AIOKafkaConsumer, bases: Sequence[str]) -> bool:
        partitions = self._partitions(consumer, bases)
        return await _reached(consumer, await consumer.end_offsets(partitions))

    def _partitions(self, consumer: AIOKafkaConsumer, bases: Sequence[str]) -> list[TopicPartition]:
        return [partition for partition in consumer.assignment() if self.names[partition.topic] in bases]


async def _known(consumer: AIOKafkaConsumer, topics: Collection[str]) -> dict[str, list[TopicPartition]]:
    with contextlib.suppress(KafkaError):  # the broker may be away for a while
        return await partitions_of(consumer, topics)
    return {}


async def _reached(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    return all([await consumer.position(partition) >= end for partition, end in ends.items()])


def _joined(parts: Sequence[_Batches]) -> _Batches:
    found: _Batches = {}
    for part in parts:
        for partition, records in part.items():
            found.setdefault(partition, []).extend(records)
    return found
