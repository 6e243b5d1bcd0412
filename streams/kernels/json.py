"""The JSON grammar (RFC 8259) over bytes: strings, whole numbers, names, and values that are skipped.

Every function takes a buffer, a place in it and the end of the record: nothing from the end on is read. It returns the
place after what it has read, ``BAD`` where the bytes are not what it takes. That may be JSON all the same (an escape in
a name, a number of twenty digits): on ``BAD`` the caller asks the codec.

One module of more than 400 lines, because it is one grammar: its rules call each other and are compiled together.
"""

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from streams.kernels.jit import inner, seldom

Bytes: TypeAlias = NDArray[np.uint8]

BAD: Final = -1
_ESCAPED: Final = -2
_U64: Final = np.uint64
_QUOTE, _BACKSLASH, _COMMA, _COLON, _OPEN, _CLOSE, _OPEN_LIST, _CLOSE_LIST = b'"\\,:{}[]'
_ZERO, _NINE, _MINUS, _PLUS, _DOT, _U = b"09-+.u"
_DEPTH: Final = 64
"""Values that are skipped may be nested so deeply."""
_DIGITS: Final = 16
"""Numbers of at most so many digits are read: all below 2**53, and more."""
_CONTINUED: Final = 0x80
"""Continuation bytes of UTF-8 are 0x80 to 0xBF; smaller bytes are ASCII."""


def _each(byte: int) -> np.uint64:
    """Eight times the same byte."""
    return _U64(int.from_bytes(bytes([byte]) * 8, "little"))


_HIGH, _LOW, _QUOTES, _BACKSLASHES, _SPACES = _each(0x80), _each(0x01), _each(_QUOTE), _each(_BACKSLASH), _each(0x20)
_ZEROS, _ABOVE_NINE = _each(_ZERO), _each(0x76)
_ONE, _EIGHT, _TOP, _ALL = _U64(1), _U64(8), _U64(56), _U64(2**64 - 1)
_PAIRS, _FOURS, _EIGHTS = _U64(0x0F0F0F0F0F0F0F0F), _U64(0x00FF00FF00FF00FF), _U64(0x0000FFFF0000FFFF)
_TEN, _HUNDRED, _MYRIAD = _U64(2561), _U64(6553601), _U64(42949672960001)
_POWERS: Final = np.array([10**n for n in range(_DIGITS + 1)], np.int64)

# What a byte after a backslash stands for; 0 where it may not stand there.
_ESCAPES: Final = np.zeros(256, np.uint8)
_ESCAPES[list(b'"\\/bfnrt')] = list(b'"\\/\b\f\n\r\t')
_HEX: Final = np.full(256, -1, np.int64)
_HEX[list(b"0123456789abcdefABCDEF")] = [*range(16), *range(10, 16)]


@seldom
def _load_last(data: Bytes, at: int, end: int) -> Any:
    found = _U64(0)
    for byte in range(end - at):
        found |= _U64(data[at + byte]) << (_EIGHT * _U64(byte))
    return found


@inner
def load(data: Bytes, at: int, end: int) -> Any:
    """Return eight bytes as one number, the first one lowest; from ``end`` on they read as zero."""
    if at + 8 <= end:
        place = _U64(at)  # unsigned: so the eight reads become one
        found = _U64(data[place])
        found |= _U64(data[place + _U64(1)]) << _U64(8)
        found |= _U64(data[place + _U64(2)]) << _U64(16)
        found |= _U64(data[place + _U64(3)]) << _U64(24)
        found |= _U64(data[place + _U64(4)]) << _U64(32)
        found |= _U64(data[place + _U64(5)]) << _U64(40)
        found |= _U64(data[place + _U64(6)]) << _U64(48)
        found |= _U64(data[place + _U64(7)]) << _U64(56)
        return found
    return _load_last(data, at, end)


@inner
def _before(marks: Any) -> Any:
    """Return how many bytes lie before the lowest whose highest bit is set; there is one."""
    below = (marks & (~marks + _ONE)) - _ONE
    return np.int64(((below & _LOW) * _LOW) >> _TOP) - 1


@inner
def skip_space(data: Bytes, at: int, end: int) -> int:
    """Return the place of the next byte that is no white space, ``end`` where there is none."""
    while at < end and (data[at] == 0x20 or data[at] == 0x0A or data[at] == 0x0D or data[at] == 0x09):
        at += 1
    return at


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
def _string_end(data: Bytes, at: int, end: int) -> int:
    """Return the place of the quote that ends a string, ``_ESCAPED`` where an escape comes first."""
    while at < end:
        eight = load(data, at, end)
        quote, backslash = eight ^ _QUOTES, eight ^ _BACKSLASHES
        special = ((quote - _LOW) & ~quote) | ((backslash - _LOW) & ~backslash) | ((eight - _SPACES) & ~eight) | eight
        special &= _HIGH
        if special == 0:
            at += 8
            continue
        at += _before(special)
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
    stop = _string_end(data, at + 1, end)
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


@inner
def _digits(eight: Any) -> tuple[Any, Any]:
    """Return with how many decimal digits eight bytes begin, and their values, the last digit in the highest byte."""
    figures = eight ^ _ZEROS
    marks = (((figures & ~_HIGH) + _ABOVE_NINE) | figures) & _HIGH
    if marks == 0:
        return 8, figures
    width = _before(marks)
    return width, figures << (_EIGHT * _U64(8 - width)) if width else _U64(0)


@inner
def _decimal(figures: Any) -> Any:
    """Return the number that eight decimal figures make, the first in the lowest byte."""
    pairs = ((figures & _PAIRS) * _TEN) >> _U64(8)
    fours = ((pairs & _FOURS) * _HUNDRED) >> _U64(16)
    return np.int64(((fours & _EIGHTS) * _MYRIAD) >> _U64(32))


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
    objects = _U64(0)  # a bit per level, the innermost lowest: whether it is an object
    depth = 0
    while True:
        if at >= end:
            return BAD
        byte = data[at]
        if byte == _OPEN or byte == _OPEN_LIST:
            if depth == _DEPTH:
                return BAD
            depth += 1
            objects = objects << _ONE | (_ONE if byte == _OPEN else _U64(0))
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
            objects >>= _ONE
        else:
            at = _skip_scalar(data, at, end, scratch)
            if at < 0:
                return BAD
        # A value is over: close what ends here, then go on with the next value or be done.
        while depth:
            at = skip_space(data, at, end)
            inside = objects & _ONE
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
            objects >>= _ONE
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
    stop = _string_end(data, at + 1, end)
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
