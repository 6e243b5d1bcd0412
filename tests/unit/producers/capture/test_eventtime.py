"""The time of a record: its timestamp, or what a field of its value says."""

import pyarrow as pa
import pytest

from producers.capture.columns import batch_of
from producers.capture.eventtime import UNKNOWN, EventTime
from streams.errors import UsageError
from tests.captures import AT, Row, encoded, fetched


def batch(*values: bytes | None, at: int = AT) -> pa.RecordBatch:
    """Return records of these values."""
    return batch_of("t", 0, fetched(encoded([Row(number, at, None, value) for number, value in enumerate(values)])))


def test_timestamps() -> None:
    """The timestamp is the time; a record without one tells none."""
    assert EventTime().times(batch(b"x", None)).tolist() == [AT, AT]
    assert EventTime().times(batch(b"x", at=-1)).tolist() == [UNKNOWN]


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        ("ms", b"1684965600123", 1_684_965_600_123),
        ("ms", b"1684965600123.9", 1_684_965_600_123),
        ("s", b"1684965600", 1_684_965_600_000),
        ("s", b"1684965600.25", 1_684_965_600_250),
        ("us", b"1684965600123999", 1_684_965_600_123),
        ("ns", b"1684965600123999999", 1_684_965_600_123),
        ("iso", b'"2023-05-24T22:00:00.123Z"', 1_684_965_600_123),
        ("iso", b'"2023-05-24T22:00:00"', 1_684_965_600_000),
        ("iso", b'"2023-05-25T00:00:00+02:00"', 1_684_965_600_000),
        ("iso", b"1684965600", UNKNOWN),
        ("iso", b'"yesterday"', UNKNOWN),
        ("ms", b'"1684965600123"', UNKNOWN),
        ("ms", b"1684965600123000000", UNKNOWN),
        ("ms", b"-1", UNKNOWN),
        ("ms", b"null", UNKNOWN),
        ("ms", b"true", UNKNOWN),
        ("ms", b"{}", UNKNOWN),
    ],
)
def test_a_field_in_a_format(form: str, value: bytes, expected: int) -> None:
    """Numbers in a unit or ISO 8601; anything else is no time."""
    record = b'{"other":[1,{"at":5}],"at":%s,"more":"x"}' % value
    assert EventTime("at", form).times(batch(record)).tolist() == [expected]


def test_a_field_inside_another() -> None:
    """The path leads through objects; where it ends early there is no time."""
    values = [b'{"meta":{"in":{"at":7}}}', b'{"meta":{"in":7}}', b'{"meta":null}', b"[]", b"\xff", b"", None]
    assert EventTime("meta.in.at").times(batch(*values)).tolist() == [7, *[UNKNOWN] * 6]


@pytest.mark.parametrize(("field", "form"), [("", "ms"), ("a..b", "ms"), ("at", "hours")])
def test_what_is_no_field_or_format_is_refused(field: str, form: str) -> None:
    """With what was expected."""
    with pytest.raises(UsageError, match="expected"):
        EventTime(field, form)
