"""The JSON grammar (RFC 8259) over bytes: whole numbers, names, members, and values that are skipped.

Every function takes a buffer, a place in it and the end of the record: nothing from the end on is read. It returns the
place after what it has read, ``BAD`` where the bytes are not what it takes. That may be JSON all the same (an escape in
a name, a number of twenty digits): on ``BAD`` the caller asks the codec.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.kernels.jit import inner, seldom
from streams.kernels.strings import string, string_end
from streams.kernels.words import BAD, EIGHT, HIGH, ONE, U64, Bytes, bytes_before, each, load

_QUOTE, _COMMA, _COLON, _OPEN, _CLOSE, _OPEN_LIST, _CLOSE_LIST = b'",:{}[]'
_ZERO, _NINE, _MINUS, _PLUS, _DOT = b"09-+."
_DEPTH: Final = 64
"""Values that are skipped may be nested so deeply."""
_DIGITS: Final = 16
"""Numbers of at most so many digits are read: all below 2**53, and more."""
_ZEROS, _ABOVE_NINE = each(_ZERO), each(0x76)
_PAIRS, _FOURS, _EIGHTS = U64(0x0F0F0F0F0F0F0F0F), U64(0x00FF00FF00FF00FF), U64(0x0000FFFF0000FFFF)
_TEN, _HUNDRED, _MYRIAD = U64(2561), U64(6553601), U64(42949672960001)
_POWERS: Final = np.array([10**n for n in range(_DIGITS + 1)], np.int64)


@inner
def skip_space(data: Bytes, at: int, end: int) -> int:
    """Return the place of the next byte that is no white space, ``end`` where there is none."""
    while at < end and (data[at] == 0x20 or data[at] == 0x0A or data[at] == 0x0D or data[at] == 0x09):
        at += 1
    return at


@inner
def _digits(eight: Any) -> tuple[Any, Any]:
    """Return with how many decimal digits eight bytes begin, and their values, the last digit in the highest byte."""
    figures = eight ^ _ZEROS
    marks = (((figures & ~HIGH) + _ABOVE_NINE) | figures) & HIGH
    if marks == 0:
        return 8, figures
    width = bytes_before(marks)
    return width, figures << (EIGHT * U64(8 - width)) if width else U64(0)


@inner
def _decimal(figures: Any) -> Any:
    """Return the number that eight decimal figures make, the first in the lowest byte."""
    pairs = ((figures & _PAIRS) * _TEN) >> U64(8)
    fours = ((pairs & _FOURS) * _HUNDRED) >> U64(16)
    return np.int64(((fours & _EIGHTS) * _MYRIAD) >> U64(32))


@inner
def integer(data: Bytes, at: int, end: int) -> tuple[Any, Any]:
    """Return a whole number that is not negative, and the place after it."""
    width, figures = _digits(load(data, at, end))
    if width == 0 or (width > 1 and data[at] == _ZERO):
        return 0, BAD
    number, after = _decimal(figures), at + width
    if width == 8:
        width, figures = _digits(load(data, after, end))
        number, after = number * _POWERS[width] + _decimal(figures), after + width
        if width == 8 and after < end and _ZERO <= data[after] <= _NINE:
            return 0, BAD
    return number, after


@seldom
def _skip_digits(data: Bytes, at: int, end: int) -> int:
    """Return the place after one digit or more."""
    begin = at
    while at < end and _ZERO <= data[at] <= _NINE:
        at += 1
    return at if at > begin else BAD


@seldom
def _skip_number(data: Bytes, at: int, end: int) -> int:
    if data[at] == _MINUS:
        at += 1
    begin = at
    at = _skip_digits(data, at, end)
    if at < 0 or (data[begin] == _ZERO and at > begin + 1):
        return BAD
    if at < end and data[at] == _DOT:
        at = _skip_digits(data, at + 1, end)
    if 0 <= at < end and data[at] | 0x20 == 0x65:  # e or E
        at += 1
        if at < end and (data[at] == _PLUS or data[at] == _MINUS):
            at += 1
        at = _skip_digits(data, at, end)
    return at


@seldom
def _literal(data: Bytes, at: int, end: int, text: Bytes) -> int:
    if at + len(text) > end:
        return BAD
    for place in range(len(text)):
        if data[at + place] != text[place]:
            return BAD
    return at + len(text)


_NULL, _TRUE, _FALSE = (np.array(list(text), np.uint8) for text in (b"null", b"true", b"false"))


@inner
def null(data: Bytes, at: int, end: int) -> int:
    """Read ``null``."""
    return _literal(data, at, end, _NULL)


@seldom
def _skip_string(data: Bytes, at: int, end: int, scratch: Bytes) -> int:
    return string(data, at, end, scratch)[3]


@seldom
def _skip_scalar(data: Bytes, at: int, end: int, scratch: Bytes) -> int:
    byte = data[at]
    if byte == _QUOTE:
        return _skip_string(data, at, end, scratch)
    if byte == 0x6E:
        return _literal(data, at, end, _NULL)
    if byte == 0x74:
        return _literal(data, at, end, _TRUE)
    if byte == 0x66:
        return _literal(data, at, end, _FALSE)
    return _skip_number(data, at, end)


@seldom
def skip(data: Bytes, at: int, end: int, scratch: Bytes) -> int:
    """Skip a value of any kind; objects and lists may be nested ``_DEPTH`` deep."""
    objects = U64(0)  # a bit per level, the innermost lowest: whether it is an object
    depth = 0
    while True:
        if at >= end:
            return BAD
        byte = data[at]
        if byte == _OPEN or byte == _OPEN_LIST:
            if depth == _DEPTH:
                return BAD
            depth += 1
            objects = objects << ONE | (ONE if byte == _OPEN else U64(0))
            at = skip_space(data, at + 1, end)
            if at < end and data[at] == (_CLOSE if byte == _OPEN else _CLOSE_LIST):
                at += 1
            elif byte == _OPEN:
                at = _skip_name(data, at, end, scratch)
                if at < 0:
                    return BAD
                continue
            else:
                continue
            depth -= 1
            objects >>= ONE
        else:
            at = _skip_scalar(data, at, end, scratch)
            if at < 0:
                return BAD
        # A value is over: close what ends here, then go on with the next value or be done.
        while depth:
            at = skip_space(data, at, end)
            inside = objects & ONE
            if at < end and data[at] == _COMMA:
                at = skip_space(data, at + 1, end)
                if inside:
                    at = _skip_name(data, at, end, scratch)
                    if at < 0:
                        return BAD
                break
            if at >= end or data[at] != (_CLOSE if inside else _CLOSE_LIST):
                return BAD
            at += 1
            depth -= 1
            objects >>= ONE
        else:
            return at


@seldom
def _skip_name(data: Bytes, at: int, end: int, scratch: Bytes) -> int:
    """Return the place of the value that belongs to the name here."""
    at = _skip_string(data, at, end, scratch)
    return _after_colon(data, at, end) if at > 0 else BAD


@inner
def _after_colon(data: Bytes, at: Any, end: int) -> int:
    at = skip_space(data, at, end)
    if at >= end or data[at] != _COLON:
        return BAD
    return skip_space(data, at + 1, end)


def names(fields: list[str]) -> NDArray[np.uint64]:
    """Return field names as ``member`` wants them: sixteen bytes and their masks, the closing quote included."""
    rows = []
    for field in fields:
        quoted = field.encode() + b'"'
        mask = b"\xff" * len(quoted)
        parts = [
            int.from_bytes(part.ljust(16, b"\0")[at : at + 8], "little") for part in (quoted, mask) for at in (0, 8)
        ]
        rows.append([*parts, len(quoted)])
    return np.array(rows, np.uint64)


@inner
def member(data: Bytes, at: int, end: int, known: NDArray[np.uint64], likely: int) -> tuple[int, int]:
    """Read the name of an object's member and the colon.

    Args:
        data: The buffer.
        at: Where the name's quote is expected.
        end: The record's end.
        known: The known names (``names``).
        likely: Number of the name looked for first.

    Returns:
        Number of the name, -1 for an unknown one; the place of the value.
    """
    if at >= end or data[at] != _QUOTE:
        return -1, BAD
    first = load(data, at + 1, end)
    for step in range(len(known)):
        number = likely + step
        if number >= len(known):
            number -= len(known)
        if first & known[number, 2] == known[number, 0]:
            width = np.int64(known[number, 4])
            if width <= 8 or load(data, at + 9, end) & known[number, 3] == known[number, 1]:
                return number, _after_colon(data, at + 1 + width, end)
    stop = string_end(data, at + 1, end)
    return -1, _after_colon(data, stop + 1, end) if stop >= 0 else BAD


@inner
def opened(data: Bytes, at: int, end: int) -> int:
    """Return the place of the first name of an object."""
    at = skip_space(data, at, end)
    if at >= end or data[at] != _OPEN:
        return BAD
    return skip_space(data, at + 1, end)


@inner
def closed(data: Bytes, at: int, end: int) -> tuple[bool, int]:
    """Read what follows a member: whether the object and with it the record is over; the place of the next name."""
    at = skip_space(data, at, end)
    if at >= end:
        return False, BAD
    if data[at] == _COMMA:
        return False, skip_space(data, at + 1, end)
    if data[at] == _CLOSE and skip_space(data, at + 1, end) == end:
        return True, end
    return False, BAD
