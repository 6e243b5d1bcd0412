"""A folder that belongs to this user alone: another user can neither read its files nor plant any in it."""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from streams.errors import EnvironmentMissingError

_PRIVATE: Final = 0o700
_WRITABLE_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_OPEN_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LARGEST: Final = 64 << 10
"""Bytes read of one file at most; what joinstorm keeps here is a line or two."""


def runtime_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder for what running processes of this user share; it need not exist yet.

    It is in XDG_RUNTIME_DIR if that is this user's own private folder, as it is not after ``sudo``, else in the
    system's temporary folder.
    """
    given = Path(environ.get("XDG_RUNTIME_DIR") or ".")
    if given.is_absolute() and _is_private(given):
        return given / "joinstorm"
    return user_folder("joinstorm")


def user_folder(name: str) -> Path:
    """Return ``<name>-<user id>`` in the system's temporary folder, where every user needs another name."""
    return Path(tempfile.gettempdir()) / f"{name}-{os.getuid()}"


def require_private(path: Path) -> Path:
    """Return a folder after checking that it is this user's own; it is made if missing.

    Raises:
        EnvironmentMissingError: It is a link, belongs to another user, or others may write in it.
        OSError: It cannot be made or opened.
    """
    with PrivateFolder(path).opened():
        return path


class PrivateFolder:
    """The files of a private folder. Every access checks the folder again and follows no link.

    Every method raises EnvironmentMissingError for a folder that is not private, and OSError for what the system
    refuses.

    Args:
        path: The folder; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, content: bytes) -> None:
        """Write a new file that replaces any file or link of its name; the folder is made if missing."""
        with self.opened() as folder:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(name, flags, 0o600, dir_fd=folder), "wb") as file:  # noqa: PTH123 - a descriptor
                file.write(content)

    def read_all(self, suffix: str) -> dict[str, bytes]:
        """Return the content of every regular file by its name; nothing if there is no folder."""
        if not os.path.lexists(self.path):
            return {}
        with self.opened() as folder:
            names = sorted(name for name in os.listdir(folder) if name.endswith(suffix))  # noqa: PTH208 - a descriptor
            found = {name: _content(name, folder) for name in names}
        return {name: content for name, content in found.items() if content is not None}

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens if it is gone."""
        with self.opened() as folder, contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)

    @contextlib.contextmanager
    def opened(self) -> Iterator[int]:
        """Yield a descriptor of the folder, made if missing, which stays the one checked whatever its name becomes."""
        with contextlib.suppress(FileExistsError):
            self.path.mkdir(mode=_PRIVATE)
        if self.path.is_symlink() or not self.path.is_dir():
            raise EnvironmentMissingError(f"{self.path}: expected a folder of this user's own, found a link or a file")
        folder = os.open(self.path, _OPEN_FOLDER)
        try:
            if (why := _objection(os.fstat(folder))) is not None:
                raise EnvironmentMissingError(f"{self.path}: expected a folder of this user's own, but {why}")
            yield folder
        finally:
            os.close(folder)


def _content(name: str, folder: int) -> bytes | None:
    """Return the first bytes of a regular file, None for anything else."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    try:
        return os.read(file, _LARGEST) if stat.S_ISREG(os.fstat(file).st_mode) else None
    finally:
        os.close(file)


def _objection(found: os.stat_result) -> str | None:
    if found.st_uid != os.getuid():
        return "it belongs to another user"
    if found.st_mode & _WRITABLE_BY_OTHERS:
        return "other users may write in it"
    return None


def _is_private(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and _objection(found) is None
