"""Keeps the oracle's answers in the cache folder under the tape's hash, so that the same question is asked once.

An answer is found again only for the same tape, windows, subjects, thread, start of the talk and excluded events, asked
by the same SQL with the same DuckDB. A file that is damaged in any way counts as missing. With the answers stands the
file of the tape they were taken from: as long as the file system shows it untouched, its content needs no check.
"""

import contextlib
import hashlib
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

import duckdb
import msgspec
import numpy as np
import numpy.typing as npt

from joinstorm.oracle import answers, queries, tapedatabase
from joinstorm.oracle.answers import Truth, ask
from joinstorm.oracle.keptfiles import LOCK, forget_oldest, kept_file, kept_folder
from streams.contract.results import Counts
from streams.contract.runinfo import RunInfo
from streams.read.derive import Rows
from streams.system.turns import in_turn
from streams.system.wholefile import whole_file

_DIGEST_BYTES: Final = hashlib.sha256().digest_size
_TURN_SECONDS: Final = 300.0
"""Several times what the largest shipped night takes."""
_Row: TypeAlias = tuple[int, str, Counts]
_FileState: TypeAlias = tuple[int, int, int, int, int]
"""Device, inode, size and the two times that change whenever a file is written to, replaced or swapped."""


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    """The content of a file, behind the SHA-256 of its compressed JSON."""

    tape_file: _FileState
    """The tape's file when its content was last checked."""
    audience: list[_Row]
    reaction: list[_Row]
    estimates: list[_Row]
    events: dict[str, int]

    @property
    def truth(self) -> Truth:
        """The answers in the form the oracle gives them."""
        return Truth(_rows(self.audience), _rows(self.reaction), _rows(self.estimates), self.events)


def kept_or_asked(
    tape: Path,
    info: RunInfo,
    check: Callable[[], None],
    *,
    exclude: npt.NDArray[np.int64],
    threads: int | None = None,
    folder: Path | None = None,
) -> Truth:
    """Return the truth of a checked tape: the kept one, else count and keep it.

    Another process with the same question waits meanwhile, for some minutes at most. Where the cache folder cannot be
    used, nothing is kept.

    Args:
        tape: The tape's file.
        info: The run; its ``tape_sha256`` is the tape's.
        check: Checks the tape's content against that hash; called unless the file is untouched since an earlier check.
        exclude: Ids of events that were never sent; the truth leaves them out.
        threads: Processor threads; all by default.
        folder: Where answers are kept; a folder of joinstorm's cache by default.

    Raises:
        TapeError: The file cannot be read, or ``check`` refuses it.
    """
    path = kept_file(folder or kept_folder(), info.tape_sha256, _question(info, exclude))
    with _alone(path):
        kept = _found(path)
        state = _state(tape)
        if kept is None or kept.tape_file != state:
            check()
            truth = kept.truth if kept else ask(tape, info, exclude=exclude, threads=threads)
            _keep(path, truth, state)
            return truth
        return kept.truth


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Make other processes with the same question wait until the block ends."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(in_turn(path.with_name(f"{path.name}{LOCK}"), _TURN_SECONDS))
        yield


def _found(path: Path) -> _Kept | None:
    """Return what is kept; None for a missing or damaged file."""
    try:
        content = path.read_bytes()
        if hashlib.sha256(content[_DIGEST_BYTES:]).digest() != content[:_DIGEST_BYTES]:
            return None
        kept = msgspec.json.decode(zlib.decompress(content[_DIGEST_BYTES:]), type=_Kept)
        os.utime(path)
    except (OSError, zlib.error, msgspec.DecodeError):
        return None
    return kept


def _keep(path: Path, truth: Truth, state: _FileState) -> None:
    rows = (_listed(table) for table in (truth.audience, truth.reaction, truth.estimates))
    content = zlib.compress(msgspec.json.encode((state, *rows, truth.events)), level=1)  # a _Kept, field by field
    with contextlib.suppress(OSError):
        with whole_file(path) as part:
            part.write_bytes(hashlib.sha256(content).digest() + content)
        forget_oldest(path.parent)


def _listed(rows: Rows) -> list[_Row]:
    return [(window, name, counts) for (window, name), counts in rows.items()]


def _rows(rows: list[_Row]) -> Rows:
    return {(window, name): counts for window, name, counts in rows}


def _state(file: Path) -> _FileState:
    found = file.stat()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _question(info: RunInfo, exclude: npt.NDArray[np.int64]) -> str:
    """Return the SHA-256 of everything the answers depend on."""
    asked = (info.tape_sha256, info.window_ms, info.talk_start, info.thread, info.subjects, duckdb.__version__)
    sha = hashlib.sha256(msgspec.json.encode(asked))
    sha.update(np.unique(exclude).astype("<i8").tobytes())
    for source in _sources():
        sha.update(hashlib.sha256(source.read_bytes()).digest())
    return sha.hexdigest()


def _sources() -> Iterator[Path]:
    """Yield the sources of the oracle: a changed query asks again."""
    for module in (answers, queries, tapedatabase):
        yield Path(str(module.__file__))
