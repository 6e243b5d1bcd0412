"""Work that the processes of a machine do in turn, one at a time, each turn with a lock file.

Nobody waits without a limit: the process whose turn it is may have been stopped (Ctrl-Z, a paused container) and then
keeps its turn until it goes on.
"""

import contextlib
import fcntl
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from streams.errors import EnvironmentMissingError

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.05
SAID_SECONDS: Final = 10.0
"""Who waits longer than this says so."""


@contextlib.contextmanager
def in_turn(lock: Path, seconds: float) -> Iterator[bool]:
    """Run the block in turn, or beside another process whose turn has lasted ``seconds``; yield which (True, False).

    Raises:
        OSError: The lock file cannot be opened.
    """
    with lock.open("w") as file:
        held = _waited(file, lock, seconds)
        if not held:
            log.warning("another process has held %s for %g s: not waiting any longer", lock, seconds)
        yield held


@contextlib.contextmanager
def alone(lock: Path, seconds: float) -> Iterator[None]:
    """Run the block in turn.

    Raises:
        EnvironmentMissingError: Another process has had its turn for ``seconds``.
        OSError: The lock file cannot be opened.
    """
    with lock.open("w") as file:
        if not _waited(file, lock, seconds):
            raise EnvironmentMissingError(
                f"another process has held {lock} for {seconds:g} s: let it go on, or end it, and try again"
            )
        yield


def _waited(file: IO[str], lock: Path, seconds: float) -> bool:
    begun = time.monotonic()
    said = False
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        waited = time.monotonic() - begun
        if waited >= seconds:
            return False
        if waited >= SAID_SECONDS and not said:
            said = True
            log.warning("waiting for another process, which holds %s", lock)
        time.sleep(POLL_SECONDS)
