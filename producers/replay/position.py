"""Where a replay is, saved so that it can resume after a crash: nothing is lost, a little is sent twice."""

from pathlib import Path
from typing import Literal

import msgspec

from streams.contract.runinfo import RunInfo
from streams.errors import UsageError, reason
from streams.system.wholefile import whole_file


class Position(msgspec.Struct, frozen=True):
    """A saved position."""

    v: Literal[1]
    row: int
    """The broker has acknowledged every row of the tape before this one."""
    at: int
    """The broker has acknowledged every mark before this event time."""
    speed: float
    info: RunInfo
    ended: bool = False

    def save(self, path: Path) -> None:
        """Write the position, whole or not at all.

        Raises:
            UsageError: The file cannot be written.
        """
        try:
            with whole_file(path) as part:
                part.write_bytes(msgspec.json.encode(self))
        except OSError as error:
            raise UsageError(f"{path}: the position cannot be saved: {reason(error)}") from None


def load_position(path: Path, tape_sha256: str) -> Position:
    """Read a saved position.

    Raises:
        UsageError: The file is missing, unreadable or damaged, or belongs to another tape or to a finished replay.
    """
    try:
        position = _read(path)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no saved position") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {reason(error)}") from None
    except msgspec.DecodeError as error:
        raise UsageError(f"{path}: not a saved position: {error}") from None
    if position.info.tape_sha256 != tape_sha256:
        raise UsageError(f"{path}: saved on tape {position.info.tape_sha256[:12]}, this one is {tape_sha256[:12]}")
    if position.ended:
        raise UsageError(f"{path}: run {position.info.run} has ended; there is nothing to resume")
    return position


def has_ended(path: Path) -> bool:
    """Return whether the position saved at ``path`` is that of a replay that has sent everything."""
    try:
        return _read(path).ended
    except (OSError, msgspec.DecodeError):
        return False


def _read(path: Path) -> Position:
    return msgspec.json.decode(path.read_bytes(), type=Position)
