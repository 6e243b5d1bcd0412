"""Reads a run's information, status and results from Kafka in a thread of its own; ``snapshot`` says what is known."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from streams.contract.runinfo import RunInfo
from streams.contract.topics import RUN_INFO
from streams.errors import AwayError, BrokerError, DeadlineError
from streams.kafka.admin import PROBE_SECONDS, why_unreachable
from streams.kafka.connection import Connection
from streams.read.follower import RESULTS, TOPICS, Follower
from streams.read.runview import RunView

CONNECT_SECONDS: Final = 15.0
STOP_SECONDS: Final = 10.0
POLL_MS: Final = 100
LOOK_SECONDS: Final = 0.02
"""How often a waiting caller looks again at the earliest."""
_TUNING: Final[dict[str, Any]] = {
    "group_id": None,
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "fetch_max_wait_ms": POLL_MS,
    "max_partition_fetch_bytes": 8 << 20,
    "metadata_max_age_ms": 30_000,
}
_MAX_RECORDS: Final = 20_000
SLICE: Final = 2_000
"""Records taken in one go, some 20 ms: whoever asks meanwhile, as a scrape does, waits for no more than these."""
PAUSE_SECONDS: Final = 0.001
"""For those who wait, between two slices."""


class ResultReader:
    """Context manager that follows one run: ``with ResultReader(connection) as reader: reader.snapshot()``.

    Memory grows with the results of the run it follows, not with the number of runs or versions.

    Args:
        connection: Where the broker is.
        prefix: What stands before the topic names.
        run: The run to follow; without it the newest one, and a newer one as soon as there is one.

    Raises:
        BrokerError: Nobody answered within 15 s (on entering).
    """

    def __init__(self, connection: Connection, *, prefix: str = "", run: str | None = None) -> None:
        self.connection = connection
        self.names = {prefix + base: base for base in TOPICS}
        self._follow = Follower(run)
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)
        self._failure: BaseException | None = None
        self._unseen: list[str] = []
        """Topics that are not there, or that the broker does not show us."""
        self._connected = threading.Event()
        self._stopping = threading.Event()
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
        """Stop reading; what was read can still be asked for."""
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    def snapshot(self) -> RunView:
        """Return what is known now; thread-safe.

        Raises:
            BrokerError: Reading has failed for good.
        """
        self.check()
        with self._lock:
            return self._follow.view()

    def topics(self) -> dict[str, str]:
        """Return the topics of the run, base name to full name; those that hold all runs before there is one."""
        with self._lock:
            state = self._follow.state
        return {base: name for name, base in self.names.items()} if state is None else state.info.topics

    def wait_for(self, predicate: Callable[[RunView], bool], seconds: float, what: str) -> RunView:
        """Wait until ``predicate`` holds and return the view it held for.

        Args:
            predicate: Asked again whenever records have come.
            seconds: How long to wait.
            what: The state that is waited for, for the error.

        Raises:
            BrokerError: Reading has failed for good.
            DeadlineError: It did not hold in time; the text says what was seen instead.
        """
        found: list[RunView] = []

        def holds() -> bool:
            view = self._follow.view()
            if predicate(view):
                found.append(view)
            return bool(found)

        self._wait(holds, seconds, what)
        return found[0]

    def wait_for_run(self, seconds: float) -> RunInfo:
        """Wait until the run is known and return its information; raises like ``wait_for``."""
        what = "a run in run.info" if self._follow.wanted is None else f"run {self._follow.wanted} in run.info"
        self._wait(lambda: self._follow.state is not None, seconds, what)
        assert self._follow.state is not None
        return self._follow.state.info

    def wait_until_drained(self, engines: Sequence[str], seconds: float) -> RunView:
        """Wait until engines have ended and everything they wrote has been read; raises like ``wait_for``."""
        what = f"the end of {' and '.join(engines)}"
        self._wait(lambda: all(self._follow.drained(name) for name in engines), seconds, what)
        return self.snapshot()

    def _wait(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        """Ask again whenever records have come, the lock being held."""
        deadline = time.monotonic() + seconds
        while True:
            self.check()
            with self._news:
                if holds():
                    return
                if not self._news.wait(deadline - time.monotonic()):
                    raise DeadlineError(f"{what}: not within {seconds:g} s; {self._seen()}")
            self._stopping.wait(LOOK_SECONDS)

    def _seen(self) -> str:
        seen = self._follow.seen()
        if self._unseen:
            seen += f"; not there, or not to be seen by {self.connection.who()}: {', '.join(self._unseen)}"
        return seen

    def drained(self, engine: str) -> bool:
        """Whether an engine has ended on all partitions, and the result topics were read to their ends after that."""
        self.check()
        with self._lock:
            return self._follow.drained(engine)

    def check(self) -> None:
        """Raise BrokerError when reading has failed for good."""
        if isinstance(self._failure, BrokerError):
            raise self._failure
        if self._failure is not None:
            raise BrokerError(
                f"no results from {self.connection.bootstrap_servers}: {self._failure}"
            ) from self._failure

    def _work(self) -> None:
        try:
            asyncio.run(self._main())
        except Exception as error:  # noqa: BLE001 - whatever ends the thread is raised in the callers' threads
            self._failure = error
        finally:
            self._connected.set()
            with self._news:
                self._news.notify_all()

    async def _main(self) -> None:
        consumer = await self._connect()
        try:
            self._connected.set()
            if await self._assigned(consumer):
                await self._read(consumer)
        finally:
            # aiokafka lets the cancelling of its own fetches through to whoever stops it
            with contextlib.suppress(asyncio.TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(consumer.stop(), STOP_SECONDS)

    async def _connect(self) -> AIOKafkaConsumer:
        """Return a started consumer; where nobody listens it is tried again, a broker may just be starting.

        Raises:
            BrokerError: Nobody lets us in, for ``CONNECT_SECONDS`` where nobody listens.
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
        """Wait for the topics, then take all their partitions; False when stopped before. Asking creates no topic."""
        while unseen := await self._missing(consumer):
            self._unseen = sorted(unseen)
            if self._stopping.is_set():
                return False
            await asyncio.sleep(POLL_MS / 1000)
        self._unseen = []
        consumer.subscribe(list(self.names))
        while {tp.topic for tp in consumer.assignment()} != set(self.names):
            if self._stopping.is_set():
                return False
            await asyncio.sleep(0.01)
        consumer.pause(*self._partitions(consumer, RESULTS))
        return True

    async def _missing(self, consumer: AIOKafkaConsumer) -> set[str]:
        there: set[str] = set()
        with contextlib.suppress(KafkaError):  # the broker may be away for a while
            there = await consumer.topics()
        return set(self.names) - there

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        """Read until stopped. Results wait until the run is known: only then can they be told from others."""
        results = self._partitions(consumer, RESULTS)
        while not self._stopping.is_set():
            batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=_MAX_RECORDS)
            await self._take(batches)
            with self._news:
                back = self._follow.rewind()
                self._news.notify_all()
            for partition, offset in back.items():
                consumer.seek(partition, offset)
            if consumer.paused() and self._follow.state and await self._at_end(consumer, (RUN_INFO,)):
                consumer.resume(*results)
            with contextlib.suppress(KafkaError):  # the broker may be away for a while; asked again next time
                await self._note_drained(consumer, results)

    async def _take(self, batches: dict[TopicPartition, list[ConsumerRecord]]) -> None:
        """Take what was read, progress after the results it speaks of."""
        for partition, records in sorted(batches.items(), key=lambda item: TOPICS.index(self.names[item[0].topic])):
            for start in range(0, len(records), SLICE):
                if start:
                    await asyncio.sleep(PAUSE_SECONDS)
                with self._news:
                    self._follow.take(self.names[partition.topic], partition, records[start : start + SLICE])

    async def _note_drained(self, consumer: AIOKafkaConsumer, results: Sequence[TopicPartition]) -> None:
        state = self._follow.state
        for engine in state.ended() if state else ():
            ends = self._follow.ends.get(engine)
            if ends is None:
                ends = self._follow.ends[engine] = await consumer.end_offsets(results)
            if all([await consumer.position(partition) >= end for partition, end in ends.items()]):
                with self._news:
                    if self._follow.state is state and state is not None:
                        state.mark_drained(engine)
                    self._news.notify_all()

    async def _at_end(self, consumer: AIOKafkaConsumer, bases: Sequence[str]) -> bool:
        partitions = self._partitions(consumer, bases)
        ends = await consumer.end_offsets(partitions)
        return all([await consumer.position(partition) >= ends[partition] for partition in partitions])

    def _partitions(self, consumer: AIOKafkaConsumer, bases: Sequence[str]) -> list[TopicPartition]:
        return [partition for partition in consumer.assignment() if self.names[partition.topic] in bases]
