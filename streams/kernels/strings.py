"""Strings of JSON (RFC 8259): their ends, escapes and UTF-8.

Every function takes a buffer, a place in it and the end of the record: nothing from the end on is read.
"""

from typing import Final

import numpy as np

from streams.kernels.jit import inner, seldom
from streams.kernels.words import BAD, HIGH, LOW, Bytes, bytes_before, each, load

_ESCAPED: Final = -2
_QUOTE, _BACKSLASH = b'"\\'
_U = ord("u")
_CONTINUED: Final = 0x80
"""Continuation bytes of UTF-8 are 0x80 to 0xBF; smaller bytes are ASCII."""
_QUOTES, _BACKSLASHES, _SPACES = each(_QUOTE), each(_BACKSLASH), each(0x20)

# What a byte after a backslash stands for; 0 where it may not stand there.
_ESCAPES: Final = np.zeros(256, np.uint8)
_ESCAPES[list(b'"\\/bfnrt')] = list(b'"\\/\b\f\n\r\t')
_HEX: Final = np.full(256, -1, np.int64)
_HEX[list(b"0123456789abcdefABCDEF")] = [*range(16), *range(10, 16)]


@seldom
def _character(data: Bytes, at: int, end: int) -> int:
    """Return the place after one character beyond ASCII, ``BAD`` where it is not UTF-8."""
    first = data[at]
    if 0xC2 <= first <= 0xDF:
        more, low, high = 1, 0x80, 0xBF
    elif 0xE0 <= first <= 0xEF:
        more, low, high = 2, 0xA0 if first == 0xE0 else 0x80, 0x9F if first == 0xED else 0xBF
    elif 0xF0 <= first <= 0xF4:
        more, low, high = 3, 0x90 if first == 0xF0 else 0x80, 0x8F if first == 0xF4 else 0xBF
    else:
        return BAD
    if at + more >= end or not low <= data[at + 1] <= high:
        return BAD
    for place in range(at + 2, at + more + 1):
        if not 0x80 <= data[place] <= 0xBF:
            return BAD
    return at + more + 1


@inner
def string_end(data: Bytes, at: int, end: int) -> int:
    """Return the place of the quote that ends a string, ``_ESCAPED`` where an escape comes first."""
    while at < end:
        eight = load(data, at, end)
        quote, backslash = eight ^ _QUOTES, eight ^ _BACKSLASHES
        special = ((quote - LOW) & ~quote) | ((backslash - LOW) & ~backslash) | ((eight - _SPACES) & ~eight) | eight
        special &= HIGH
        if special == 0:
            at += 8
            continue
        at += bytes_before(special)
        if at >= end or data[at] < 0x20:
            return BAD
        if data[at] == _QUOTE:
            return at
        if data[at] == _BACKSLASH:
            return _ESCAPED
        at = _character(data, at, end)
        if at < 0:
            return BAD
    return BAD


@inner
def string(data: Bytes, at: int, end: int, scratch: Bytes) -> tuple[bool, int, int, int]:
    """Read a string.

    Returns:
        Whether its characters had to be copied into ``scratch``, because of escapes; where they begin and end; the
        place after the closing quote.
    """
    if at >= end or data[at] != _QUOTE:
        return False, 0, 0, BAD
    stop = string_end(data, at + 1, end)
    if stop >= 0:
        return False, at + 1, stop, stop + 1
    if stop == _ESCAPED:
        length, after = _unescape(data, at + 1, end, scratch)
        return True, 0, length, after
    return False, 0, 0, BAD


@seldom
def _unescape(data: Bytes, at: int, end: int, scratch: Bytes) -> tuple[int, int]:
    """Copy the characters of a string that has escapes; one of more than ``len(scratch)`` bytes is not taken."""
    length = 0
    while at < end and length + 4 <= len(scratch):
        byte = data[at]
        if byte == _QUOTE:
            return length, at + 1
        if byte < 0x20:
            return 0, BAD
        after = at + 1
        if byte == _BACKSLASH:
            if after < end and data[after] == _U:
                point, after = _code_point(data, after + 1, end)
                if after < 0:
                    return 0, BAD
                length = _put_utf8(scratch, length, point)
            elif after < end and _ESCAPES[data[after]]:
                scratch[length] = _ESCAPES[data[after]]
                length, after = length + 1, after + 1
            else:
                return 0, BAD
        else:
            if byte >= _CONTINUED:
                after = _character(data, at, end)
                if after < 0:
                    return 0, BAD
            for place in range(at, after):
                scratch[length] = data[place]
                length += 1
        at = after
    return 0, BAD


@seldom
def _four_digits(data: Bytes, at: int, end: int) -> int:
    if at + 4 > end:
        return BAD
    number = 0
    for place in range(at, at + 4):
        digit = _HEX[data[place]]
        if digit < 0:
            return BAD
        number = number * 16 + digit
    return number


@seldom
def _code_point(data: Bytes, at: int, end: int) -> tuple[int, int]:
    r"""Return the character of ``\uXXXX``, or of two of them that are a pair of surrogates, and the place after it."""
    point = _four_digits(data, at, end)
    if point < 0xD800 or point > 0xDFFF:
        return point, at + 4 if point >= 0 else BAD
    if point > 0xDBFF or at + 6 > end or data[at + 4] != _BACKSLASH or data[at + 5] != _U:
        return 0, BAD
    low = _four_digits(data, at + 6, end)
    if low < 0xDC00 or low > 0xDFFF:
        return 0, BAD
    return 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00), at + 10


@seldom
def _put_utf8(out: Bytes, at: int, point: int) -> int:
    if point < 0x80:
        out[at] = point
        return at + 1
    if point < 0x800:
        out[at], out[at + 1] = 0xC0 | point >> 6, 0x80 | point & 0x3F
        return at + 2
    if point < 0x10000:
        out[at], out[at + 1], out[at + 2] = 0xE0 | point >> 12, 0x80 | point >> 6 & 0x3F, 0x80 | point & 0x3F
        return at + 3
    out[at], out[at + 1] = 0xF0 | point >> 18, 0x80 | point >> 12 & 0x3F
    out[at + 2], out[at + 3] = 0x80 | point >> 6 & 0x3F, 0x80 | point & 0x3F
    return at + 4
