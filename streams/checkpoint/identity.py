"""What a saved state depends on besides the counted records: the counting code and the night in run.info."""

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from streams.contract.runinfo import RunInfo

_BYTES: Final = 8
STREAMS: Final = Path(__file__).parents[1]
DECIDING: Final = (
    "checkpoint/records.py",
    "contract/breakdowns.py",
    "contract/durations.py",
    "contract/events.py",
    "contract/names.py",
    "contract/results.py",
    "contract/runinfo.py",
    "contract/topics.py",
    "engines/faust/batches.py",
    "engines/faust/chunks.py",
    "engines/faust/partitions.py",
    "fold/*.py",
    "kafka/arrived.py",
    "kafka/batchfetch.py",
    "kafka/rawbatch.py",
    "kernels/*.py",
)
"""The modules that determine a state, as patterns below ``streams``: from a batch's bytes to a saved record."""


def deciding(root: Path = STREAMS) -> list[Path]:
    """Return the files that ``DECIDING`` matches, sorted."""
    return sorted(path for pattern in DECIDING for path in root.glob(pattern))


@functools.cache
def code_version() -> str:
    """Return the digest of the code that determines a state; other code may give a state another meaning.

    So there is no version number to maintain. After a change to this code, partitions are counted again from the
    beginning; a change elsewhere keeps the checkpoints.
    """
    return digest_of(deciding(), STREAMS)


def digest_of(paths: Iterable[Path], root: Path) -> str:
    """Return a digest over files: their paths below ``root`` and their bytes."""
    digest = hashlib.blake2b(digest_size=_BYTES)
    for path in paths:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def scenario_of(info: RunInfo) -> str:
    """Return a digest of the night in run.info (spaces, subjects, windows, moments), without run id and topic names."""
    about = msgspec.structs.replace(info, run="", prefix="", topics={}, created_ms=0)
    return hashlib.blake2b(msgspec.json.encode(about), digest_size=_BYTES).hexdigest()
