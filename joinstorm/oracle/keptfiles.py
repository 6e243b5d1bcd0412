"""The files of kept answers: a folder of joinstorm's cache, the tape's hash first in every name."""

import os
from pathlib import Path
from typing import Final

from streams.system.cache import beyond_newest, cache_folder

LOCK: Final = ".lock"
MAX_KEPT: Final = 24
"""Files beyond these are removed, the longest unused first."""
_DIGITS: Final = 32
"""Hexadecimal digits of a hash in a file's name."""


def kept_folder() -> Path:
    """Return the folder of kept answers; it need not exist yet."""
    return cache_folder(os.environ) / "truths"


def kept_file(folder: Path, tape_sha256: str, question: str) -> Path:
    """Return the file of the answers to a question, given by its hash, about a tape."""
    return folder / f"{tape_sha256[:_DIGITS]}-{question[:_DIGITS]}"


def any_kept(tape_sha256: str) -> bool:
    """Whether answers to any question about a tape are kept."""
    return any(path.suffix != LOCK for path in kept_folder().glob(f"{tape_sha256[:_DIGITS]}-*"))


def forget_oldest(folder: Path) -> None:
    """Remove the answers that were unused for longest, with their locks."""
    files = [path for path in folder.iterdir() if path.suffix != LOCK and not path.name.startswith(".")]
    for path in beyond_newest(files, MAX_KEPT):
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}{LOCK}").unlink(missing_ok=True)
