"""The headers of a record as they stand in it: their count, then each name and value; one record at a time."""

from collections.abc import Sequence
from typing import TypeAlias

Headers: TypeAlias = Sequence[tuple[str, bytes | None]]
NONE = b"\0"
"""What a record without headers has."""
_MORE = 0x80


def encode(headers: Headers) -> bytes:
    """Return headers encoded."""
    parts = [_number(len(headers))]
    for name, value in headers:
        raw = name.encode()
        parts += [_number(len(raw)), raw, _number(-1 if value is None else len(value)), value or b""]
    return b"".join(parts)


def decode(raw: bytes) -> list[tuple[str, bytes | None]]:
    """Return headers, decoded; bytes of a name that are not UTF-8 are replaced, as no client takes them."""
    found: list[tuple[str, bytes | None]] = []
    count, at = _read(raw, 0)
    for _ in range(count):
        size, at = _read(raw, at)
        name, at = raw[at : at + size].decode(errors="replace"), at + size
        size, at = _read(raw, at)
        found.append((name, None if size < 0 else raw[at : at + size]))
        at += max(size, 0)
    return found


def _number(number: int) -> bytes:
    """Return a number of varying length (zigzag)."""
    rest, out = (number << 1) ^ (number >> 63), bytearray()
    while rest >= _MORE:
        out.append(rest % _MORE | _MORE)
        rest //= _MORE
    return bytes([*out, rest])


def _read(raw: bytes, at: int) -> tuple[int, int]:
    rest, shift = 0, 0
    while True:
        byte = raw[at]
        rest, shift, at = rest | (byte % _MORE) << shift, shift + 7, at + 1
        if byte < _MORE:
            return (rest >> 1) ^ -(rest & 1), at
