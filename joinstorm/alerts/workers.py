"""Processes that share out the nights: as many as there are processors, started when there is more than one share."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing.synchronize import Event
from types import TracebackType
from typing import Final, Self, TypeVar

_S = TypeVar("_S")
_R = TypeVar("_R")
LEAST: Final = 3
"""Nights that make a share: for fewer, another process costs more than it saves."""
SHARES: Final = 4
"""Per processor: small enough that all end together, large enough that starting a Prometheus does not matter."""


def processors() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shares(items: Sequence[_S]) -> list[Sequence[_S]]:
    """Cut a sequence into shares."""
    size = max(LEAST, -(-len(items) // (SHARES * processors())))
    return [items[at : at + size] for at in range(0, len(items), size)]


class Workers:
    """Context manager: processes that call functions on shares; on an error or an interruption they stop soon."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._stopping = self._context.Event()
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stopping.set()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def results(self, function: Callable[[_S], _R], items: Sequence[_S]) -> Iterator[tuple[int, _R]]:
        """Yield place and result of each call as they come; a single one is made here."""
        if len(items) <= 1:
            yield from enumerate(map(function, items))
            return
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                processors(), self._context, initializer=_begin, initargs=(self._stopping,)
            )
        waiting = {self._pool.submit(function, item): number for number, item in enumerate(items)}
        for one in as_completed(waiting):
            yield waiting[one], one.result()


_stopping: Event | None = None
"""In a process of the pool: set when its results are not wanted any more."""


def _begin(stopping: Event) -> None:
    """Keep, in a process of the pool, the event that stops it."""
    global _stopping  # noqa: PLW0603 - a process of the pool has no other place
    _stopping = stopping


def stopping() -> bool:
    """Whether the results of this process are not wanted any more."""
    return _stopping is not None and _stopping.is_set()
