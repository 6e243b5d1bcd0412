"""Waits for a broker that is away while a run is starting, as one is waited for in the middle of a run."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from streams.errors import AwayError

WAIT_SECONDS = 30.0
"""How long a broker that is away is waited for: a restart takes less."""
PAUSE_SECONDS: Final = 0.5

_log = logging.getLogger(__name__)
T = TypeVar("T")


def patiently(do: Callable[[], T], *, seconds: float | None = None) -> T:
    """Return what ``do`` returns; it is called again while the broker is away.

    Args:
        do: Raises AwayError while the broker is away; a repetition must do no harm.
        seconds: For how long; ``WAIT_SECONDS`` if not given. A call that has begun is not cut short.

    Raises:
        AwayError: The broker was still away at the end; the text is that of the last attempt, with the time waited.
    """
    patience = _Patience(seconds)
    while True:
        try:
            return do()
        except AwayError as error:
            patience.bear(error)
            time.sleep(PAUSE_SECONDS)


async def patiently_awaited(do: Callable[[], Awaitable[T]], *, seconds: float | None = None) -> T:
    """Do as ``patiently``, in an event loop, which goes on meanwhile."""
    patience = _Patience(seconds)
    while True:
        try:
            return await do()
        except AwayError as error:
            patience.bear(error)
            await asyncio.sleep(PAUSE_SECONDS)


class _Patience:
    """The time that is left; the first time it is needed, a warning says what is waited for."""

    def __init__(self, seconds: float | None) -> None:
        self._started = time.monotonic()
        self._limit = WAIT_SECONDS if seconds is None else seconds
        self._warned = False

    def bear(self, error: AwayError) -> None:
        waited = time.monotonic() - self._started
        if waited >= self._limit:
            raise AwayError(f"{error}; gave up after {waited:.0f} s") from error
        if not self._warned:
            _log.warning("%s; waiting for it, %.0f s at most", error, self._limit - waited)
            self._warned = True
