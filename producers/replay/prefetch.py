"""Prepares the next blocks in a background thread while the current one is played."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Generic, Self, TypeVar, cast

from streams.system.threads import BackgroundThread

_T = TypeVar("_T")
_END = object()
POLL_SECONDS = 0.05


class Prefetch(Generic[_T]):
    """Context manager: runs an iterator in a background thread, a bounded number of items ahead of ``take``.

    Args:
        items: Read in the thread; ``take`` raises its exceptions.
        depth: How many items may wait.
    """

    def __init__(self, items: Iterator[_T], depth: int = 2) -> None:
        self._items = items
        self._queue: queue.Queue[object] = queue.Queue(depth)
        self._stack = ExitStack()
        self._thread = BackgroundThread("prefetch", self._run)

    def __enter__(self) -> Self:
        self._stack.enter_context(self._thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def take(self, meanwhile: Callable[[float], None]) -> _T | None:
        """Return the next item, None after the last.

        Args:
            meanwhile: Called repeatedly, with the seconds it may take, until the item is ready.
        """
        while True:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                meanwhile(0.002)
                continue
            if item is _END:
                self._queue.put(_END)
                return None
            if isinstance(item, BaseException):
                raise item
            return cast("_T", item)

    def _run(self, over: threading.Event) -> None:
        try:
            for item in self._items:
                if not self._put(item, over):
                    return
        except BaseException as error:  # noqa: BLE001 - raised again by take
            self._put(error, over)
        else:
            self._put(_END, over)

    def _put(self, item: object, over: threading.Event) -> bool:
        while not over.is_set():
            try:
                self._queue.put(item, timeout=POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False
