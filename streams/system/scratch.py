"""Temporary folders, removed with their owner or, if it was killed, when the next one is created."""

import contextlib
import fcntl
import os
import shutil
import stat
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
    """Remove this user's folders whose owners are gone: their locks are free."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), _opened_lock(folder) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def _opened_lock(folder: Path) -> IO[str]:
    """Open the lock of a folder.

    Raises:
        OSError: It has none, or the folder or the lock may be another user's trap: a link, or not this user's.
    """
    found = folder.lstat()
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
        raise PermissionError(folder)
    return open(os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK), "r+")  # noqa: PTH123 - a descriptor


def _claimed(kind: str, parent: Path) -> tuple[Path, IO[str]]:
    """Create a folder, locked for as long as this process lives."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{kind}-", dir=parent))
        lock = (folder / LOCK).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock.fileno()).st_nlink:
            return folder, lock
        lock.close()  # another process swept it between the two lines above
