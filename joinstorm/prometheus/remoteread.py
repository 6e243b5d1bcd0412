"""The wire format of Prometheus's remote read: what a request asks for, and series as an answer; no I/O.

Messages are protobuf (``prompb/remote.proto``), compressed with snappy. Answers are of the type SAMPLES, which every
Prometheus accepts.
"""

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

import cramjam
import numpy as np
from numpy.typing import NDArray

STALE: Final = np.array([0x7FF0000000000002], dtype=np.uint64).view(np.float64)[0]
"""The NaN that says "the series ends here", as a scrape or a rule writes it."""
NAME: Final = "__name__"
EARLIEST, LATEST = 1 << 35, 1 << 42
"""Times (ms) whose varint has six bytes: 1971 to 2109."""
_SAMPLE_BYTES: Final = 18
_EQUAL, _NOT_EQUAL, _MATCHES = 0, 1, 2

LabelPairs: TypeAlias = tuple[tuple[str, str], ...]
"""Label names and values, sorted by name; the metric's name stands under ``__name__``."""


@dataclass(frozen=True)
class Matcher:
    """One condition on a label; a label that is not there has the empty value."""

    kind: int
    label: str
    value: str

    def accepts(self, labels: dict[str, str]) -> bool:
        """Say whether labels fulfil the condition."""
        has = labels.get(self.label, "")
        if self.kind in {_EQUAL, _NOT_EQUAL}:
            return (has == self.value) == (self.kind == _EQUAL)
        return bool(self._pattern.fullmatch(has)) == (self.kind == _MATCHES)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(self.value, re.DOTALL)


@dataclass(frozen=True)
class ReadQuery:
    """What one selector asks for: times in ms, both ends included, and conditions on labels."""

    start: int
    end: int
    matchers: tuple[Matcher, ...]

    @property
    def name(self) -> str:
        """The metric's name; empty where the selector does not say it outright."""
        return next((one.value for one in self.matchers if one.label == NAME and one.kind == _EQUAL), "")


@dataclass(frozen=True, eq=False)
class RemoteSeries:
    """One series.

    Args:
        labels: Its labels, the metric's name included.
        times: Event times (ms), growing.
        values: One per time; ``STALE`` where the series ends.
    """

    labels: LabelPairs
    times: NDArray[np.int64]
    values: NDArray[np.float64]

    @cached_property
    def by_name(self) -> dict[str, str]:
        """The labels as a dict."""
        return dict(self.labels)

    @cached_property
    def _samples(self) -> NDArray[np.uint8]:
        """Every sample as it goes over the wire; shape (samples, 18)."""
        if len(self.times) and not EARLIEST <= self.times[0] <= self.times[-1] < LATEST:
            raise ValueError(f"{self.labels}: times from 1971 to 2109 can be served")
        rows = np.empty((len(self.times), _SAMPLE_BYTES), np.uint8)
        rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 11] = 0x12, _SAMPLE_BYTES - 2, 0x09, 0x10
        rows[:, 3:11] = np.ascontiguousarray(self.values, "<f8").view(np.uint8).reshape(-1, 8)
        for place in range(6):
            seven_bits = (self.times >> (7 * place)) & 0x7F
            rows[:, 12 + place] = seven_bits | (0x80 if place < 5 else 0)  # noqa: PLR2004 - the last of six bytes
        return rows

    @cached_property
    def _head(self) -> bytes:
        pairs = (field(1, name.encode()) + field(2, value.encode()) for name, value in self.labels)
        return b"".join(field(1, pair) for pair in pairs)

    def message(self, start: int, end: int) -> bytes:
        """Return the series as a protobuf message, its samples between two times (ms), both included; empty if none."""
        first, last = np.searchsorted(self.times, start, "left"), np.searchsorted(self.times, end, "right")
        return self._head + self._samples[first:last].tobytes() if first < last else b""


def queries(body: bytes) -> list[ReadQuery]:
    """Decode the body of a request.

    Raises:
        ValueError: It is no remote read request.
    """
    try:
        raw = bytes(cramjam.snappy.decompress_raw(body))
        return [_query(value) for number, value in _fields(raw) if number == 1 and isinstance(value, bytes)]
    except (cramjam.DecompressionError, IndexError, struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"no remote read request: {error}") from None


def answer(results: Iterable[Iterable[bytes]]) -> bytes:
    """Encode an answer: for each query the messages of its series, sorted by labels."""
    message = b"".join(field(1, b"".join(field(1, one) for one in result)) for result in results)
    return bytes(cramjam.snappy.compress_raw(message))


def _query(raw: bytes) -> ReadQuery:
    start, end, matchers = 0, 0, []
    for number, value in _fields(raw):
        if number == 1 and isinstance(value, int):
            start = value
        elif number == 2 and isinstance(value, int):  # noqa: PLR2004 - the number of a field
            end = value
        elif number == 3 and isinstance(value, bytes):  # noqa: PLR2004
            matchers.append(_matcher(value))
    return ReadQuery(start, end, tuple(matchers))


def _matcher(raw: bytes) -> Matcher:
    found = dict(_fields(raw))
    kind, label, value = found.get(1, 0), found.get(2, b""), found.get(3, b"")
    if not (isinstance(kind, int) and isinstance(label, bytes) and isinstance(value, bytes)):
        raise ValueError("no label matcher")  # noqa: TRY004 - the bytes are wrong, not the caller
    return Matcher(kind, label.decode(), value.decode())


def _fields(raw: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of each field; fixed-width ones, which no request has, as bytes."""
    at = 0
    while at < len(raw):
        key, at = _varint(raw, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(raw, at)
            yield key >> 3, value
            continue
        length, at = _varint(raw, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)  # noqa: PLR2004 - wire types
        yield key >> 3, raw[at : at + length]
        at += length


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a varint
            return value, at


def field(number: int, value: bytes) -> bytes:
    """Return a length-delimited field of a protobuf message."""
    return bytes([number << 3 | 2]) + _encoded(len(value)) + value


def _encoded(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
