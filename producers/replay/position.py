"""Where a replay is, saved so that it can go on after a crash: nothing lost, a little sent twice and counted once."""

import os
from pathlib import Path
from typing import Literal

import msgspec

from streams.contract.runinfo import RunInfo
from streams.errors import TapeError


class Position(msgspec.Struct, frozen=True):
    """A saved position."""

    v: Literal[1]
    row: int
    """Every row of the tape before this one is acknowledged by the broker."""
    at: int
    """Event time before which every mark is acknowledged."""
    speed: float
    info: RunInfo
    ended: bool = False

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        part.write_bytes(msgspec.json.encode(self))
        part.replace(path)


def load_position(path: Path, tape_sha256: str) -> Position:
    """Read a saved position.

    Raises:
        TapeError: It is missing, damaged, of another tape, or of a replay that came to its end.
    """
    try:
        position = _read(path)
    except FileNotFoundError:
        raise TapeError(f"{path}: there is no saved position") from None
    except (OSError, msgspec.DecodeError) as error:
        raise TapeError(f"{path}: not a saved position: {error}") from None
    if position.info.tape_sha256 != tape_sha256:
        raise TapeError(f"{path}: saved on tape {position.info.tape_sha256[:12]}, this one is {tape_sha256[:12]}")
    if position.ended:
        raise TapeError(f"{path}: run {position.info.run} came to its end; there is nothing to go on with")
    return position


def came_to_its_end(path: Path) -> bool:
    """Whether a position was saved there by a replay that had sent everything."""
    try:
        return _read(path).ended
    except (OSError, msgspec.DecodeError):
        return False


def _read(path: Path) -> Position:
    return msgspec.json.decode(path.read_bytes(), type=Position)
