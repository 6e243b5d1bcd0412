"""What an engine costs: processor time and memory of its processes and all they start."""

import bisect
import contextlib
import threading
import time
from types import TracebackType
from typing import Final, Self

import psutil

from streams.system.threads import BackgroundThread

SAMPLE_SECONDS: Final = 0.05
_MEMORY_EVERY: Final = 4
"""Memory is read less often than processor time: it costs more to find out."""


class Usage:
    """Context manager: samples processor time and memory of processes and all they start.

    Args:
        pids: The processes.
    """

    def __init__(self, *pids: int) -> None:
        self.walls: list[float] = []
        self.cpu: list[float] = []
        """Processor seconds, user and system, of all processes ever seen; one value per wall."""
        self.peak_bytes = 0
        """Largest sum of resident memory."""
        self._pids = pids
        self._of: dict[tuple[int, float], float] = {}
        self._beside = BackgroundThread("usage", self._sample)

    def __enter__(self) -> Self:
        self._beside.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._beside.__exit__(kind, error, trace)

    def cpu_at(self, wall: float) -> float:
        """Return the processor seconds spent up to a moment, between samples in proportion."""
        place = bisect.bisect_left(self.walls, wall)
        if place == 0 or not self.walls:
            return self.cpu[0] if self.cpu else 0.0
        if place == len(self.walls):
            return self.cpu[-1]
        before, after = self.walls[place - 1], self.walls[place]
        share = (wall - before) / (after - before)
        return self.cpu[place - 1] + share * (self.cpu[place] - self.cpu[place - 1])

    def _sample(self, over: threading.Event) -> None:
        number = 0
        while not over.is_set():
            processes = self._processes()
            for process in processes:
                with contextlib.suppress(psutil.Error):
                    times = process.cpu_times()
                    self._of[process.pid, process.create_time()] = times.user + times.system
            self.walls.append(time.monotonic())
            self.cpu.append(sum(self._of.values()))
            if number % _MEMORY_EVERY == 0:
                self.peak_bytes = max(self.peak_bytes, sum(map(_resident, processes)))
            number += 1
            over.wait(SAMPLE_SECONDS)

    def _processes(self) -> list[psutil.Process]:
        found: list[psutil.Process] = []
        for pid in self._pids:
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pid)
                found += [process, *process.children(recursive=True)]
        return found


def _resident(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0
