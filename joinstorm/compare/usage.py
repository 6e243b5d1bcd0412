"""Processor time and memory of an engine's processes and their children."""

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
"""Memory is sampled once per so many samples of processor time: it costs more to read."""


class Usage:
    """Context manager: samples processor time and memory of processes and their children.

    Args:
        pids: The processes.
    """

    def __init__(self, *pids: int) -> None:
        self.walls: list[float] = []
        self.cpu: list[float] = []
        """Processor seconds, user and system, of all processes seen so far; one value per entry of ``walls``."""
        self.peak_bytes = 0
        """Largest sum of resident memory."""
        self._pids = pids
        self._seconds: dict[tuple[int, float], float] = {}
        self._thread = BackgroundThread("usage", self._sample)
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(self._thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def cpu_at(self, wall: float) -> float:
        """Return the processor seconds spent up to a moment, interpolated between samples."""
        place = bisect.bisect_left(self.walls, wall)
        if place == 0 or not self.walls:
            return self.cpu[0] if self.cpu else 0.0
        if place == len(self.walls):
            return self.cpu[-1]
        before, after = self.walls[place - 1], self.walls[place]
        share = (wall - before) / (after - before)
        return self.cpu[place - 1] + share * (self.cpu[place] - self.cpu[place - 1])

    def _sample(self, stop: threading.Event) -> None:
        number = 0
        while not stop.is_set():
            processes = self._processes()
            for process in processes:
                with contextlib.suppress(psutil.Error):
                    times = process.cpu_times()
                    self._seconds[process.pid, process.create_time()] = times.user + times.system
            self.walls.append(time.monotonic())
            self.cpu.append(sum(self._seconds.values()))
            if number % _MEMORY_EVERY == 0:
                self.peak_bytes = max(self.peak_bytes, sum(map(_resident, processes)))
            number += 1
            stop.wait(SAMPLE_SECONDS)

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
