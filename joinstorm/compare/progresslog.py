"""The progress that engines report, with the time at which each report became visible."""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from streams.contract.progress import ProgressBook
from streams.contract.runinfo import RunInfo
from streams.kafka.connection import Connection
from streams.kafka.progressreader import ProgressReader
from streams.system.threads import BackgroundThread, poll_until


@dataclass(frozen=True)
class ProgressSample:
    """An engine's progress at one moment.

    Args:
        wall: When it became visible, monotonic seconds.
        watermark: Every event below it is in the results; None until every partition has one.
        events: Distinct events counted.
        ended: Every partition has ended.
    """

    wall: float
    watermark: int | None
    events: int
    ended: bool


class ProgressLog:
    """Context manager: follows ``results.progress`` of one run and keeps every engine's samples."""

    def __init__(self, connection: Connection, info: RunInfo) -> None:
        self.info = info
        self._books: dict[str, ProgressBook] = {}
        self._samples: dict[str, list[ProgressSample]] = {}
        self._lock = threading.Lock()
        self._reader = ProgressReader(connection, info, fetch_wait_ms=20)
        self._thread = BackgroundThread("progress-log", self._follow)
        self._open = contextlib.ExitStack()
        self._open.enter_context(self._reader)

    def __enter__(self) -> Self:
        self._open.enter_context(self._thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def samples(self, engine: str) -> list[ProgressSample]:
        """Return all samples of an engine, oldest first."""
        with self._lock:
            return list(self._samples.get(engine, ()))

    def last(self, engine: str) -> ProgressSample | None:
        """Return the newest sample of an engine."""
        with self._lock:
            found = self._samples.get(engine)
            return found[-1] if found else None

    def silent_for(self, engine: str, since: float) -> float:
        """Return the seconds since an engine's last sample, or since ``since`` (monotonic) if that is later."""
        last = self.last(engine)
        return time.monotonic() - max(since, last.wall if last else since)

    def wait(
        self, engine: str, predicate: Callable[[ProgressSample], bool], seconds: float, check: Callable[[], None]
    ) -> ProgressSample | None:
        """Wait until an engine's newest sample satisfies ``predicate``; None when none does in time.

        Args:
            engine: Its name.
            predicate: The state to wait for.
            seconds: The longest wait.
            check: Called between polls; raises when waiting has become pointless.
        """

        def poll() -> ProgressSample | None:
            self._thread.check()
            last = self.last(engine)
            if last is not None and predicate(last):
                return last
            check()
            return None

        return poll_until(poll, seconds)

    def _follow(self, stop: threading.Event) -> None:
        while not stop.is_set():
            records = self._reader.poll(50)
            wall = time.monotonic()
            for record in records:
                self._books.setdefault(record.engine, ProgressBook()).put(record)
            for engine in {record.engine for record in records}:
                self._sample(engine, wall)

    def _sample(self, engine: str, wall: float) -> None:
        covered = self._books[engine].covered(self.info.partitions)
        sample = ProgressSample(wall, covered.watermark, sum(covered.events.values()), covered.ended)
        with self._lock:
            self._samples.setdefault(engine, []).append(sample)
