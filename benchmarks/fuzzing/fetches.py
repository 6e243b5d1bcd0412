"""Record batches as a broker hands them out: compressed, transactional, aborted, with odd headers, keys and times."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from crc32c import crc32c

_COMPRESSIONS: Final = (0, 0, 0, 1, 2, 3, 4)
_LOG_APPEND_TIME, _CONTROL = 0x08, 0x20
_PRODUCER: Final = 7
_SIZES: Final = (1, 2, 3, 20, 257, 300, 700)
_ANY_SIZE: Final = 1 << 30
_CODEC: Final = 0b111
_GZIP: Final = 1
_DATA: Final = 61
"""Where the records of a batch begin."""


@dataclass
class Fetch:
    """What a fetch brings of one partition, from its first record on, and what a reader of committed records sees."""

    data: bytes = b""
    aborted: list[tuple[int, int]] = field(default_factory=list)
    """Producer and first offset of the aborted transactions."""
    next_offset: int = 0
    seen: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Offset and value of every record that is not hidden."""


def fetch(random: Random, value: Callable[[], bytes | None]) -> Fetch:
    """Return a fetch of up to four batches with values from ``value``."""
    made = Fetch()
    for _ in range(random.randrange(1, 5)):
        values = [value() for _ in range(random.choice(_SIZES))]
        kind = random.choice(("plain", "plain", "committed", "aborted"))
        _add(made, random, values, transactional=kind != "plain", hidden=kind == "aborted")
        if kind != "plain":
            _add_marker(made, random, commit=kind == "committed")
    return made


def plain(values: Sequence[bytes | None]) -> Fetch:
    """Return a fetch of one plain batch."""
    batch = _builder(0, transactional=False)
    for number, value in enumerate(values):
        batch.append(number, 0, None, value, [])
    return Fetch(bytes(batch.build()), next_offset=len(values), seen=list(enumerate(values)))


def _add(made: Fetch, random: Random, values: Sequence[bytes | None], *, transactional: bool, hidden: bool) -> None:
    batch = _builder(random.choice(_COMPRESSIONS), transactional=transactional)
    at, headers = random.randrange(1 << 42), random.choice((0, 0, 0.01, 0.5))
    key = random.choice((_no_key, _person_key, _any_key))
    for number, value in enumerate(values):
        at += random.choice((0, 1, 1, 1, 63, 64, 8_192, -100, 10**9))
        batch.append(number, at, key(random), value, [("a", b"b"), ("", None)] if random.random() < headers else [])
    attributes = random.choice((0, 0, 0, _LOG_APPEND_TIME))
    if hidden:
        made.aborted.append((_PRODUCER, made.next_offset))
    else:
        made.seen += enumerate(values, made.next_offset)
    made.data += _placed(bytes(batch.build()), made.next_offset, attributes)
    made.next_offset += len(values)


def _add_marker(made: Fetch, random: Random, *, commit: bool) -> None:
    """Add the control record that ends a transaction."""
    batch = _builder(0, transactional=True)
    batch.append(0, random.randrange(1 << 42), struct.pack(">hh", 0, int(commit)), bytes(6), [])
    made.data += _placed(bytes(batch.build()), made.next_offset, _CONTROL)
    made.next_offset += 1


def _builder(compression: int, *, transactional: bool) -> DefaultRecordBatchBuilder:
    producer, epoch, sequence = (_PRODUCER, 0, 0) if transactional else (-1, -1, -1)
    return DefaultRecordBatchBuilder(2, compression, int(transactional), producer, epoch, sequence, _ANY_SIZE)


def _placed(batch: bytes, offset: int, attributes: int) -> bytes:
    """Return a batch that begins at an offset and has more attributes, with the checksum that fits.

    gzip notes the time of day in bytes 4 to 7, which are zero here: the same seed makes the same bytes.
    """
    (before,) = struct.unpack_from(">h", batch, 21)
    if before & _CODEC == _GZIP:
        batch = batch[: _DATA + 4] + bytes(4) + batch[_DATA + 8 :]
    rest = struct.pack(">h", before | attributes) + batch[23:]
    return struct.pack(">q", offset) + batch[8:17] + struct.pack(">I", crc32c(rest)) + rest


def _no_key(_: Random) -> None:
    return None


def _person_key(random: Random) -> bytes:
    return b"%d" % random.randrange(400)


def _any_key(random: Random) -> bytes | None:
    return random.choice((None, b"", b"\xff\x80\x81", b"x" * 63, b"x" * 64, b"x" * 200))
