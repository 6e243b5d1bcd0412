"""Whose turn it is: of several workers that share a state folder, one works and the others wait."""

import contextlib
import fcntl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

POLL_SECONDS: Final = 0.1


@contextlib.contextmanager
def turn(path: Path, stop: threading.Event) -> Iterator[IO[str] | None]:
    """Wait until no other worker, and no JVM of one, has the lock; yields the locked file, None if asked to stop."""
    with path.open("w") as file:
        while not stop.is_set():
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                stop.wait(POLL_SECONDS)
                continue
            yield file
            return
        yield None
