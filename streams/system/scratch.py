"""Temporary folders that end with their owner; where it was killed before it could, with the next one's beginning."""

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
    """Yield a folder of one's own, ``joinstorm-<kind>-…``, gone after the block. Only its file ``lock`` is taken.

    Before, all such folders are removed whose owners were killed.

    Args:
        kind: What it is for, a part of its name.
        parent: Where it is made; the system's temporary folder if not given.
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
    """Remove the folders whose owners are gone: nobody holds their lock any more."""
    for path in parent.glob(f"{PREFIX}*/{LOCK}"):
        with contextlib.suppress(OSError), path.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path.parent, ignore_errors=True)


def _claimed(kind: str, parent: Path) -> tuple[Path, IO[str]]:
    """Make a folder, locked for as long as this process lives."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{kind}-", dir=parent))
        lock = (folder / LOCK).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock.fileno()).st_nlink:
            return folder, lock
        lock.close()  # somebody swept it up between the two lines above
