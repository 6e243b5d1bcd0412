"""The remote read format: requests as Prometheus sends them, answers as it takes them."""

import cramjam
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joinstorm.prometheus.remoteread import STALE, Matcher, ReadQuery, RemoteSeries, answer, queries

START = 1_684_965_600_000
MATCHERS = (
    b"\x1a\x0f\x12\x08__name__\x1a\x03foo"  # the kind is left out: equal
    b"\x1a\x0e\x08\x02\x12\x05space\x1a\x03a.*"
)


def encoded(value: int) -> bytes:
    """Write a varint."""
    return bytes([value & 0x7F | 0x80]) + encoded(value >> 7) if value > 0x7F else bytes([value])


def varint(raw: bytes, at: int) -> tuple[int, int]:
    """Read a varint."""
    value = shift = 0
    while raw[at] & 0x80:
        value, shift, at = value | (raw[at] & 0x7F) << shift, shift + 7, at + 1
    return value | raw[at] << shift, at + 1


def test_a_request_is_read_with_its_matchers() -> None:
    """Start and end in ms, and the metric's name among the matchers; hints are passed over."""
    query = b"\x08" + encoded(START) + b"\x10" + encoded(START + 60_000) + MATCHERS + b"\x22\x02\x08\x01"
    (found,) = queries(bytes(cramjam.snappy.compress_raw(b"\x0a" + encoded(len(query)) + query)))
    matchers = (Matcher(0, "__name__", "foo"), Matcher(2, "space", "a.*"))
    assert found == ReadQuery(START, START + 60_000, matchers)
    assert found.name == "foo"


def test_what_is_no_request_is_refused() -> None:
    """Neither snappy nor protobuf."""
    with pytest.raises(ValueError, match="no remote read request"):
        queries(b"\xff\xff\xff")
    with pytest.raises(ValueError, match="no remote read request"):
        queries(bytes(cramjam.snappy.compress_raw(b"\x0a\x02\x08")))


@pytest.mark.parametrize(
    ("matcher", "accepted"),
    [
        (Matcher(0, "a", "x"), True), (Matcher(1, "a", "x"), False), (Matcher(2, "a", "x|y"), True),
        (Matcher(3, "a", "x.*"), False), (Matcher(2, "a", "y"), False), (Matcher(0, "b", ""), True),
        (Matcher(1, "b", ""), False), (Matcher(2, "a", "xx"), False),
    ],
)  # fmt: skip
def test_matchers_are_prometheus_own(matcher: Matcher, *, accepted: bool) -> None:
    """Regular expressions match the whole value; a label that is not there is empty."""
    assert matcher.accepts({"a": "x"}) is accepted


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=20), st.integers(0, 10**10))
def test_samples_survive_the_wire(values: list[float], offset: int) -> None:
    """Every value and time, bit by bit, inside the asked stretch alone."""
    times = START - 10**10 + offset + 1000 * np.arange(len(values), dtype=np.int64)
    series = RemoteSeries((("__name__", "foo"),), times, np.array(values))
    raw = series.message(int(times[0]), int(times[-1]))
    head = len(raw) - 18 * len(values)
    rows = np.frombuffer(raw[head:], np.uint8).reshape(-1, 18)
    assert np.ascontiguousarray(rows[:, 3:11]).view("<f8").ravel().tolist() == values
    assert [varint(bytes(row), 12)[0] for row in rows] == times.tolist()
    assert series.message(int(times[-1]) + 1, int(times[-1]) + 2) == b""


def test_the_mark_of_an_ended_series_is_prometheus_own() -> None:
    """A NaN with exactly these bits; any other NaN is a value."""
    assert np.array([STALE]).view(np.uint64)[0] == 0x7FF0000000000002


def test_an_answer_has_one_result_for_each_query() -> None:
    """Also for a query that nothing answers."""
    raw = bytes(cramjam.snappy.decompress_raw(answer([[b"ab"], []])))
    assert raw == b"\x0a\x04\x0a\x02ab\x0a\x00"


def test_times_far_away_are_refused() -> None:
    """The rows are of one width."""
    with pytest.raises(ValueError, match="1971 to 2109"):
        RemoteSeries((), np.array([5], np.int64), np.array([1.0])).message(0, 10)
