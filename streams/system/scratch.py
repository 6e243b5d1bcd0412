"""Temporary folders, removed with their owner or, if it was killed, when the next one is created."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

PREFIX = "joinstorm-"
LOCK = "lock"


@contextlib.contextmanager
def scratch(kind: str, parent: Path | None = None) -> Iterator[Path]:
    """Yield a private folder, ``joinstorm-<kind>-…``, removed after the block. Only the file name ``lock`` is reserved.

    Folders whose owners were killed are removed first.

    Args:
        kind: Purpose of the folder, part of its name.
        parent: Where to create it; the system's temporary folder if not given.
    """
    parent = parent or Path(tempfile.gettempdir())
    sweep(parent)
    folder, lock = _claimed(kind, parent)
    with lock:
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path) -> None:
    """Remove the folders whose owners are gone: their locks are free."""
    for path in parent.glob(f"{PREFIX}*/{LOCK}"):
        with contextlib.suppress(OSError), path.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path.parent, ignore_errors=True)


def _claimed(kind: str, parent: Path) -> tuple[Path, IO[str]]:
    """Create a folder, locked for as long as this process lives."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{kind}-", dir=parent))
        lock = (folder / LOCK).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock.fileno()).st_nlink:
            return folder, lock
        lock.close()  # another process swept it between the two lines above
