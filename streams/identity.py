"""What a saved state depends on besides the records it counted: the code that counted, and what run.info said."""

import functools
import hashlib
from pathlib import Path

import msgspec

from streams.runinfo import RunInfo

_BYTES = 8


@functools.cache
def code_version() -> str:
    """Return a digest of the modules beside this one: a state counted by other code may mean something else.

    Nobody has to remember to raise a number; after any change of the code the partitions are counted anew.
    """
    digest = hashlib.blake2b(digest_size=_BYTES)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def scenario_of(info: RunInfo) -> str:
    """Return a digest of what run.info says of the night: spaces, subjects, windows, moments; not of its names."""
    about = msgspec.structs.replace(info, run="", prefix="", topics={}, created_ms=0)
    return hashlib.blake2b(msgspec.json.encode(about), digest_size=_BYTES).hexdigest()
