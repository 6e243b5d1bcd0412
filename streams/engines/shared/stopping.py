"""The two reasons for a worker to stop, a signal and the end of the run, and what a stop has to cut short."""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final

from streams.contract.progress import Covered, ProgressBook
from streams.contract.results import Progress, decode_progress
from streams.contract.runinfo import RunInfo
from streams.errors import ContractError
from streams.system.children import handled_signals
from streams.system.threads import BackgroundThread

NAMED: Final = 3
"""How many partitions and names are listed."""
WATCH_SECONDS: Final = 0.1


@contextlib.contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM, SIGINT and SIGHUP set, and restore earlier handlers afterwards. Main thread only."""
    stop = threading.Event()

    def set_stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
        stop.set()

    with handled_signals(set_stop):
        yield stop


class RunEnd:
    """Detects, from the records of ``results.progress``, that all workers of an engine together are done with a run."""

    def __init__(self, info: RunInfo, engine: str) -> None:
        self.info, self.engine = info, engine
        self._book = ProgressBook()
        self._others: Counter[str] = Counter()
        """Records of other engines, by their name."""
        self._key_prefix = f'["{info.run}","{engine}",'.encode()

    def accept(self, key: bytes | None, value: bytes | None) -> None:
        """Process any record of the topic; those of other runs and engines are ignored."""
        if value is None or key is None or not key.startswith(self._key_prefix):
            return
        with contextlib.suppress(ContractError):
            self.put(decode_progress(value))

    def put(self, progress: Progress) -> None:
        """Process a progress record of this run; those of other engines are ignored."""
        if progress.engine == self.engine:
            self._book.put(progress)
        else:
            self._others[progress.engine] += 1

    @property
    def reached(self) -> bool:
        """Whether every partition of both input topics is covered to its end."""
        return self.covered().ended

    def covered(self) -> Covered:
        """Return how much of the input all workers of the engine together have counted."""
        return self._book.covered(self.info.partitions)

    def missing(self) -> str:
        """Return what is missing for the end: partitions without ``ended``, and who else wrote progress meanwhile."""
        missing = self.covered().missing
        some = ", ".join(missing[:NAMED]) + (f" and {len(missing) - NAMED} more" if len(missing) > NAMED else "")
        text = f"no progress with ended under the name {self.engine!r} for {some}" if missing else ""
        others = ", ".join(f"{count:,} under {name!r}" for name, count in self._others.most_common(NAMED))
        return f"{text}; progress records of this run under other names: {others}" if others else text


@contextlib.contextmanager
def acting_on_stop(stop: threading.Event, act: Callable[[], None], name: str) -> Iterator[None]:
    """Call ``act`` once if ``stop`` is set inside the block, from a thread: a call into a JVM blocks meanwhile."""

    def watch(over: threading.Event) -> None:
        while not over.wait(WATCH_SECONDS):
            if stop.is_set():
                act()
                return

    with BackgroundThread(name, watch):
        yield
