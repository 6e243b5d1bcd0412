"""How far engines say they are, and when they said so."""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from kafka import KafkaConsumer, TopicPartition

from streams.contract.progress import ProgressBook
from streams.contract.results import decode_progress
from streams.contract.runinfo import RunInfo
from streams.contract.topics import RESULTS_PROGRESS
from streams.errors import ContractError
from streams.kafka.connection import Connection
from streams.system.threads import BackgroundThread, poll_until


@dataclass(frozen=True)
class ProgressSample:
    """What an engine's progress said at one moment.

    Args:
        wall: When it was visible, monotonic seconds.
        watermark: Every event below it is in the results; None before every partition has said so.
        events: Distinct events counted.
        ended: Every partition is through.
    """

    wall: float
    watermark: int | None
    events: int
    ended: bool


class ProgressLog:
    """Context manager: follows ``results.progress`` of one run and notes when each engine said what."""

    def __init__(self, connection: Connection, info: RunInfo) -> None:
        self.info = info
        self._books: dict[str, ProgressBook] = {}
        self._seen: dict[str, list[ProgressSample]] = {}
        self._lock = threading.Lock()
        self._consumer = KafkaConsumer(
            **connection.for_kafka_python(), group_id=None, auto_offset_reset="earliest", fetch_max_wait_ms=20
        )
        self._consumer.assign([TopicPartition(info.topics[RESULTS_PROGRESS], 0)])
        self._beside = BackgroundThread("progress-log", self._follow)

    def __enter__(self) -> Self:
        self._beside.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._beside.__exit__(kind, error, trace)
        self._consumer.close()

    def seen(self, engine: str) -> list[ProgressSample]:
        """Return everything an engine has said, oldest first."""
        with self._lock:
            return list(self._seen.get(engine, ()))

    def last(self, engine: str) -> ProgressSample | None:
        """Return what an engine said last."""
        with self._lock:
            found = self._seen.get(engine)
            return found[-1] if found else None

    def silent_for(self, engine: str, since: float) -> float:
        """Return for how many seconds an engine has said nothing, at most since a moment of the monotonic clock."""
        last = self.last(engine)
        return time.monotonic() - max(since, last.wall if last else since)

    def wait(
        self, engine: str, predicate: Callable[[ProgressSample], bool], seconds: float, check: Callable[[], None]
    ) -> ProgressSample | None:
        """Wait until what an engine says fulfils ``predicate``; None when it does not in time.

        Args:
            engine: Its name.
            predicate: What is waited for.
            seconds: How long.
            check: Called again and again; raises when waiting has no sense any more.
        """

        def look() -> ProgressSample | None:
            self._beside.check()
            last = self.last(engine)
            if last is not None and predicate(last):
                return last
            check()
            return None

        return poll_until(look, seconds)

    def _follow(self, over: threading.Event) -> None:
        while not over.is_set():
            for records in self._consumer.poll(timeout_ms=50).values():
                wall = time.monotonic()
                touched = {engine for record in records if (engine := self._take(record.value))}
                for engine in touched:
                    self._note(engine, wall)

    def _take(self, value: bytes | None) -> str | None:
        with contextlib.suppress(ContractError):
            record = decode_progress(value or b"")
            if record.run == self.info.run:
                self._books.setdefault(record.engine, ProgressBook()).put(record)
                return record.engine
        return None

    def _note(self, engine: str, wall: float) -> None:
        covered = self._books[engine].covered(self.info.partitions)
        one = ProgressSample(wall, covered.watermark, sum(covered.events.values()), covered.ended)
        with self._lock:
            self._seen.setdefault(engine, []).append(one)
