"""Prepares the next blocks in a thread while the current one is played."""

import queue
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar, cast

from streams.system.threads import BackgroundThread

_T = TypeVar("_T")
_OVER = object()
LOOK_SECONDS = 0.05


class Prefetch(Generic[_T]):
    """Context manager: runs an iterator in a thread, a bounded number of items ahead of whoever takes them.

    Args:
        items: Read in the thread; its exceptions are raised by ``take``.
        depth: How many finished items may wait.
    """

    def __init__(self, items: Iterator[_T], depth: int = 2) -> None:
        self._items = items
        self._queue: queue.Queue[object] = queue.Queue(depth)
        self._beside = BackgroundThread("ahead", self._run)

    def __enter__(self) -> Self:
        self._beside.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._beside.__exit__(kind, error, trace)

    def take(self, meanwhile: Callable[[float], None]) -> _T | None:
        """Return the next item, None after the last.

        Args:
            meanwhile: Called with a few milliseconds, again and again, while the item is not ready.
        """
        while True:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                meanwhile(0.002)
                continue
            if item is _OVER:
                self._queue.put(_OVER)
                return None
            if isinstance(item, BaseException):
                raise item
            return cast("_T", item)

    def _run(self, over: threading.Event) -> None:
        try:
            for item in self._items:
                if not self._put(item, over):
                    return
        except BaseException as error:  # noqa: BLE001 - raised again where the items are taken
            self._put(error, over)
        else:
            self._put(_OVER, over)

    def _put(self, item: object, over: threading.Event) -> bool:
        while not over.is_set():
            try:
                self._queue.put(item, timeout=LOOK_SECONDS)
            except queue.Full:
                continue
            return True
        return False
