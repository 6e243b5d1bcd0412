"""The folder of one run: a new one under ``out/`` or one given by the user, locked while the run is alive."""

import contextlib
import fcntl
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from streams.errors import UsageError

PARENT: Final = Path("out")


@contextlib.contextmanager
def run_folder(given: Path | None, parent: Path = PARENT) -> Iterator[Path]:
    """Yield the folder of a run, which no other run can use until the block ends.

    The lock is on the folder itself, and the kernel releases it when the process ends, however it ends.

    Args:
        given: The folder, made if missing; None for a new one.
        parent: Where a new one is made, named after the time.

    Raises:
        UsageError: Another run is using the folder.
        OSError: The folder cannot be made; the error names it.
    """
    folder = new_folder(parent) if given is None else given
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"--out {folder}: another run is using this folder") from None
        yield folder
    finally:
        os.close(handle)


def new_folder(parent: Path) -> Path:
    """Make a folder that is named after the time and that no other process made, and return it."""
    parent.mkdir(parents=True, exist_ok=True)
    name = time.strftime("%Y%m%d-%H%M%S")
    for number in itertools.count(2):
        folder = parent / name
        try:
            folder.mkdir()
        except FileExistsError:
            name = f"{name[:15]}-{number}"
        else:
            return folder
    raise AssertionError
