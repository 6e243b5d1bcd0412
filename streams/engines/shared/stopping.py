"""What every worker has to notice by itself: that it is told to stop, and that the run is done."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from streams.contract.progress import ProgressBook
from streams.contract.results import decode_progress
from streams.contract.runinfo import RunInfo
from streams.errors import ContractError


@contextlib.contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM and SIGINT set; the handlers before are there again afterwards. Main thread only."""
    stop = threading.Event()

    def set_it(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
        stop.set()

    before = {number: signal.signal(number, set_it) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class RunEnd:
    """Knows from the records of ``results.progress`` whether an engine is done with a run, all workers together."""

    def __init__(self, info: RunInfo, engine: str) -> None:
        self.info, self.engine = info, engine
        self._book = ProgressBook()
        self._head = f'["{info.run}","{engine}",'.encode()

    def take(self, key: bytes | None, value: bytes | None) -> None:
        """Take any record of the topic; those of other runs and engines do not matter."""
        if value is None or key is None or not key.startswith(self._head):
            return
        with contextlib.suppress(ContractError):
            self._book.put(decode_progress(value))

    @property
    def reached(self) -> bool:
        """Whether every partition of both input topics is covered to its end."""
        return self._book.covered(self.info.partitions).ended
