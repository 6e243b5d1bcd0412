"""Decoding thousands of presence events at once, from the exact bytes this project's own encoder writes.

``streams.contract.events.encode`` writes an event's fields in one order, without spaces; so in a chunk of such events
every field can be found, checked and converted for all records together, eight bytes at a time, with numpy. Every
byte of a record is checked: what is accepted here means the same to ``streams.contract.events.decode_presence``, and
what is not accepted (another field order, an escape, a mark, garbage) is merely left to it. So this is speed, never
meaning.

The arithmetic on eight ASCII bytes in one unsigned integer is the well-known "SIMD within a register".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from streams.contract.events import GAVE_UP, REJOIN_WITHIN_MS
from streams.fold.cells import ATTEMPT, DROP, FAIL, FIRST_ATTEMPT, GIVE_UP, JOIN, LEAVE, REJOIN

U64: TypeAlias = NDArray[np.uint64]
Bools: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.int64]

PADDING: Final = 128
"""Bytes after the last record, so that a look ahead stays inside the buffer."""
_ONE, _EIGHT = np.uint64(1), np.uint64(8)
_WHOLE = np.uint64(64)


def _every(byte: int) -> np.uint64:
    """Eight times the same byte."""
    return np.uint64(int.from_bytes(bytes([byte]) * 8, "little"))


def _word(text: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(text.ljust(8, b"\0"), "little"))


def _mask(length: int) -> np.uint64:
    return np.uint64((1 << 8 * length) - 1)


_PLAIN = frozenset(range(0x20, 0x7F)) - frozenset(b'"\\')
_HIGH, _LOW = _every(0x80), _every(0x01)
_ZERO_DIGIT, _TO_HIGH, _QUOTE, _BACKSLASH, _SPACE = _every(0x30), _every(0x76), _every(0x22), _every(0x5C), _every(0x20)
_BYTE = np.uint64(0xFF)
_STEPS = (
    (np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(2561), np.uint64(8)),
    (np.uint64(0x00FF00FF00FF00FF), np.uint64(6553601), np.uint64(16)),
    (np.uint64(0x0000FFFF0000FFFF), np.uint64(42949672960001), np.uint64(32)),
)


def _layout(**at: int) -> np.dtype[Any]:
    """Name the eight-byte words to be looked at, by their distance from a position."""
    return np.dtype(
        {
            "names": list(at),
            "formats": ["<u8"] * len(at),
            "offsets": list(at.values()),
            "itemsize": -(-(max(at.values()) + 8) // 8) * 8,
        }
    )


_HEAD = _layout(a=0, b=4, digits=12)  # {"event_id":
_AT = _layout(a=0, first=6, last=11, b=19, c=20, kind=28)  # ,"at":1684965600000,"kind":"
_LISTENER = _layout(a=0, b=4, digits=12)  # ,"listener":
_CLIENT = _layout(a=0, b=3, word=11, more=19)  # ,"client":"
_TRY = _layout(a=0, digits=7)  # ,"try":
_REASON = _layout(a=0, b=3, word=11, more=19)  # ,"reason":"
_SINCE = _layout(a=0, b=8, c=9, digits=17)  # ,"since_drop_ms":
_END = _layout(a=0)

_KINDS: Final = (b"attempt", b"join", b"fail", b"leave", b"drop")
_KIND_CELLS = np.array([ATTEMPT, JOIN, FAIL, LEAVE, DROP, 0], np.uint8)
_KIND_OF_INITIAL = np.full(256, len(_KINDS), np.int64)
_KIND_OF_INITIAL[[kind[0] for kind in _KINDS]] = range(len(_KINDS))
_KIND_WORDS = np.array([*(_word(kind + b'"') for kind in _KINDS), 1], np.uint64)
_KIND_MASKS = np.array([*(_mask(len(kind) + 1) for kind in _KINDS), 0], np.uint64)  # the last one never matches
_KIND_LENGTHS = np.array([*(len(kind) + 1 for kind in _KINDS), 0], np.int64)


@dataclass(frozen=True, slots=True)
class Found:
    """What was read of a chunk; only rows with ``ok`` mean anything, the others are to be decoded one by one."""

    ok: Bools
    event_id: Ints
    at: Ints
    person: Ints
    space: NDArray[np.int16]
    cell: NDArray[np.uint8]


class PresenceScanner:
    """Reads chunks of presence events of one run.

    Args:
        spaces: The names run.info announces; a record with another one is not accepted.
    """

    def __init__(self, spaces: Sequence[str]) -> None:
        names = [name.encode() + b'"' for name in spaces]
        self._plain = [(code, name) for code, name in enumerate(names) if _is_plain(name[:-1])]
        longest = max((len(name) for name in names), default=1)
        self._words = -(-longest // 8)
        self._layout = _layout(a=0, b=2, **{f"w{i}": 10 + 8 * i for i in range(self._words)})

    def scan(self, values: Sequence[bytes]) -> Found:
        """Read the records of a chunk; takes any bytes, accepts what is canonical."""
        lengths = np.fromiter(map(len, values), np.int64, len(values))
        ends = np.cumsum(lengths)
        return self.scan_buffer(b"".join((*values, b"\0" * PADDING)), ends - lengths, ends)

    def scan_buffer(self, data: bytes, starts: Ints, ends: Ints) -> Found:
        """Read the records that lie at ``starts`` to ``ends`` in ``data``.

        Those in the last ``PADDING`` bytes of ``data`` are not accepted.
        """
        read = _Reader(data)
        head = read.words(starts, _HEAD)
        ok = (head["a"] == _word(b'{"event_')) & (head["b"] == _word(b'ent_id":'))
        event_id, width, fine = _number(head["digits"])
        ok &= fine
        at, cell, kind_width, fine = _time_and_kind(timed := read.words(here := starts + 12 + width, _AT))
        ok &= fine & (timed["a"] & _mask(6) == _word(b',"at":'))
        here += 28 + kind_width
        found = read.words(here, _LISTENER)
        ok &= (found["a"] == _word(b',"listen')) & (found["b"] == _word(b'stener":'))
        person, width, fine = _number(found["digits"])
        ok &= fine
        here += 12 + width
        space, width = self._space(read.words(here, self._layout), ok)
        here += 10 + width
        found = read.words(here, _CLIENT)
        ok &= (found["a"] == _word(b',"client')) & (found["b"] == _word(b'lient":"'))
        width, fine = _text(found["word"], found["more"])
        ok &= fine
        here += 12 + width
        found = read.words(here, _TRY)
        width, fine = _digits(found["digits"])
        ok &= fine & (found["a"] & _mask(7) == _word(b',"try":')) & (found["digits"] & _BYTE != _ZERO_DIGIT & _BYTE)
        first = (found["digits"] & _BYTE == _word(b"1")) & (width == 1) & (cell == ATTEMPT)
        cell[first] = FIRST_ATTEMPT
        here += 7 + width
        ok &= read.words(here, _END)["a"] & _mask(6) == _word(b',"v":1')
        here += 6
        _tail(read, here, ends, ok, cell)
        return Found(ok, event_id.view(np.int64), at.view(np.int64), person.view(np.int64), space, cell)

    def _space(self, found: NDArray[Any], ok: Bools) -> tuple[NDArray[np.int16], Ints]:
        ok &= (found["a"] == _word(b',"space"')) & (found["b"] == _word(b'space":"'))
        space = np.zeros(len(found), np.int16)
        width = np.zeros(len(found), np.int64)
        known = np.zeros(len(found), np.bool_)
        for code, name in self._plain:
            parts = [name[i : i + 8] for i in range(0, len(name), 8)]
            same = reduce(np.logical_and, (found[f"w{i}"] & _mask(len(p)) == _word(p) for i, p in enumerate(parts)))
            space[same], width[same] = code, len(name)
            known |= same
        ok &= known
        return space, width


class _Reader:
    """Looks at words anywhere in a buffer, for many positions at once."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._last = max(0, len(data) - PADDING)

    def words(self, positions: Ints, layout: np.dtype[Any]) -> NDArray[Any]:
        size = layout.itemsize
        anywhere = np.ndarray((len(self._data) - size + 1,), np.dtype((np.void, size)), self._data, 0, (1,))
        return anywhere[np.minimum(positions, self._last)].view(layout)


def _is_plain(text: bytes) -> bool:
    """Whether a text stands in JSON as it is."""
    return all(byte in _PLAIN for byte in text)


def _width(stop: U64) -> Ints:
    """Bytes before the lowest marked one; 8 where none is marked."""
    low = stop & (~stop + _ONE)
    return (np.bitwise_count(low - _ONE) >> 3).astype(np.int64)


def _digits(word: U64) -> tuple[Ints, Bools]:
    """How many digits a word begins with, and whether that is at least one (eight or more are not told apart)."""
    value = word ^ _ZERO_DIGIT
    width = _width(((value + _TO_HIGH) | value) & _HIGH)
    return width, width > 0


def _number(word: U64) -> tuple[U64, Ints, Bools]:
    """Value, width and validity of a JSON integer of one to eight digits at the beginning of a word."""
    value = word ^ _ZERO_DIGIT
    width = _width(((value + _TO_HIGH) | value) & _HIGH)
    fine = (width > 0) & ((width == 1) | (value & _BYTE != 0))
    return _decimal(value << (_WHOLE - (width.view(np.uint64) << np.uint64(3)))), width, fine


def _decimal(value: U64) -> U64:
    """Turn eight decimal figures, the first in the lowest byte, into the number."""
    for mask, factor, shift in _STEPS:
        value = ((value & mask) * factor) >> shift
    return value


def _text(word: U64, more: U64) -> tuple[Ints, Bools]:
    """Width of a plain text of up to 15 bytes that ends in a quote, and whether it is one."""
    first, second = _zero_bytes(word ^ _QUOTE), _zero_bytes(more ^ _QUOTE)
    width = _width(first)
    within = np.where(first != 0, (first & (~first + _ONE)) - _ONE, ~np.uint64(0))
    bad = _unplain(word) & within
    longer = first == 0
    if longer.any():
        width = np.where(longer, 8 + _width(second), width)
        bad |= np.where(longer, _unplain(more) & ((second & (~second + _ONE)) - _ONE), np.uint64(0))
    return width, (bad == 0) & ((first | second) != 0)


def _zero_bytes(word: U64) -> U64:
    """Mark bytes that are zero; the lowest mark is exact, higher ones may be false."""
    return (word - _LOW) & ~word & _HIGH


def _unplain(word: U64) -> U64:
    """Mark bytes that are no plain ASCII character of a JSON string; the lowest mark is exact."""
    return (((word - _SPACE) & ~word) | word | _zero_bytes(word ^ _BACKSLASH)) & _HIGH


def _time_and_kind(found: NDArray[Any]) -> tuple[U64, NDArray[np.uint8], Ints, Bools]:
    first, last = found["first"] ^ _ZERO_DIGIT, found["last"] ^ _ZERO_DIGIT
    fine = ((((first + _TO_HIGH) | first) | ((last + _TO_HIGH) | last)) & _HIGH == 0) & (first & _BYTE != 0)
    at = _decimal(first << np.uint64(24)) * np.uint64(100_000_000) + _decimal(last)
    fine &= (found["b"] == _word(b',"kind":')) & (found["c"] == _word(b'"kind":"'))
    word = found["kind"].copy()
    kind = _KIND_OF_INITIAL.take((word & _BYTE).view(np.int64))
    fine &= word & _KIND_MASKS.take(kind) == _KIND_WORDS.take(kind)
    return at, _KIND_CELLS.take(kind), _KIND_LENGTHS.take(kind), fine


def _tail(read: _Reader, here: Ints, ends: Ints, ok: Bools, cell: NDArray[np.uint8]) -> None:
    """Read what may follow ``"v":1``: a reason, the time since the drop, the end of the record."""
    rows = np.flatnonzero(ok & (here + 1 != ends))
    if len(rows):
        here[rows] = _reason_and_since(read, here[rows], rows, ok, cell)
    ok &= (here + 1 == ends) & (read.words(here, _END)["a"] & _BYTE == _word(b"}"))


def _reason_and_since(read: _Reader, here: Ints, rows: Ints, ok: Bools, cell: NDArray[np.uint8]) -> Ints:
    found = read.words(here, _REASON)
    has = (found["a"] == _word(b',"reason')) & (found["b"] == _word(b'eason":"'))
    width, fine = _text(found["word"], found["more"])
    ok[rows[has & ~fine]] = False
    gave_up = has & (found["word"] == _word(GAVE_UP.encode() + b'"')) & (cell[rows] == LEAVE)
    cell[rows[gave_up]] = GIVE_UP
    here = here + np.where(has, 12 + width, 0)
    found = read.words(here, _SINCE)
    has = (found["a"] == _word(b',"since_')) & (found["b"] == _word(b'drop_ms"')) & (found["c"] == _word(b'rop_ms":'))
    since, width, fine = _number(found["digits"])
    ok[rows[has & ~fine]] = False
    again = has & (since <= REJOIN_WITHIN_MS) & (cell[rows] == JOIN)
    cell[rows[again]] = REJOIN
    return here + np.where(has, 17 + width, 0)
