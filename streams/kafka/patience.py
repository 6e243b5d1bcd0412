"""Waits for a broker that is away while a run is starting, as one is waited for in the middle of a run."""

import logging
import time
from collections.abc import Callable
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
    started = time.monotonic()
    limit = WAIT_SECONDS if seconds is None else seconds
    warned = False
    while True:
        try:
            return do()
        except AwayError as error:
            waited = time.monotonic() - started
            if waited >= limit:
                raise AwayError(f"{error}; gave up after {waited:.0f} s") from error
            if not warned:
                _log.warning("%s; waiting for it, %.0f s at most", error, limit - waited)
                warned = True
            time.sleep(PAUSE_SECONDS)
