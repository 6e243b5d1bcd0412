"""A local clock in the hour that comes twice and in the one that never comes."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.importing.times import TimeReading, millis, moment
from streams.errors import EventFileError

ZONE = "America/New_York"
AUTUMN = datetime(2013, 11, 3, 4, 0, tzinfo=UTC)
"""Midnight in New York, two hours before its clock goes back from 2:00 to 1:00."""
SPRING = datetime(2013, 3, 10, 5, 0, tzinfo=UTC)


def local(at: datetime, zone: str = ZONE) -> str:
    """Return a time as the clock on the wall shows it."""
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def read(texts: list[str], **more: str) -> list[int]:
    """Return UTC for times on a clock in New York."""
    reading = TimeReading(zone=ZONE, **more)  # type: ignore[arg-type]  # fields that are texts
    return millis(pl.Series(texts), reading, "r.csv").to_list()


def ms(at: datetime) -> int:
    """Return a moment in ms since the epoch."""
    return round(at.timestamp() * 1000)


@given(st.lists(st.integers(0, 4 * 3600), max_size=30, unique=True), st.booleans())
def test_what_is_read_is_right_and_what_is_refused_cannot_be_decided(seconds: list[int], newest_first: bool) -> None:
    """A log in order of time through the night the clock goes back: every time is the true one, or nothing is read.

    It is read exactly when the clock runs backwards between two rows of the doubled hour, or none lies in it.
    """
    true = [AUTUMN + timedelta(seconds=second) for second in sorted({*seconds, 0, 4 * 3600})]
    clock = [local(at) for at in true]
    doubled = [place for place, at in enumerate(true) if timedelta(hours=1) <= at - AUTUMN < timedelta(hours=3)]
    tells = any(clock[a] > clock[b] for a, b in pairwise(doubled))
    if newest_first:
        true, clock = true[::-1], clock[::-1]
    if doubled and not tells:
        with pytest.raises(EventFileError, match="2013-11-03 01:00 to 02:00 came twice"):
            read(clock)
        return
    assert read(clock) == [ms(at) for at in true]


def test_the_choice_of_the_user_holds_where_rows_do_not_tell() -> None:
    """--doubled-hour names the hour; rows out of order tell nothing."""
    rows = ["2013-11-03 00:30:00", "2013-11-03 01:30:00"]
    for fold, hours in (("first", 1), ("second", 2)):
        assert read(rows, doubled_hour=fold)[1] == ms(AUTUMN + timedelta(hours=hours, minutes=30))


@pytest.mark.parametrize(
    "rows",
    [
        ["01:30:00", "01:20:00", "01:40:00", "01:10:00"],  # twice backwards
        ["00:30:00", "00:10:00", "01:50:00", "01:40:00"],  # as far backwards as elsewhere
        ["02:05:00", "01:50:00", "02:06:00"],  # backwards into the hour
    ],
)
def test_rows_out_of_order_are_no_evidence(rows: list[str]) -> None:
    """In a file that is not in order of time a step back need not be the clock's."""
    with pytest.raises(EventFileError, match=r"rows? .* came twice"):
        read([f"2013-11-03 {row}" for row in rows])


def test_each_source_in_a_file_has_its_own_step_back() -> None:
    """Each part in order of time has its own step back."""
    one = [AUTUMN + timedelta(minutes=minutes) for minutes in (30, 70, 110, 130, 170, 200)]
    assert read([local(at) for at in one + one]) == [ms(at) for at in one + one]


def test_an_hour_that_never_was_is_refused() -> None:
    """In spring the clock jumps from 2:00 to 3:00; the message names the hour and the rows."""
    rows = [local(SPRING + timedelta(minutes=minutes)) for minutes in range(0, 240, 20)]
    assert read(rows) == [ms(SPRING + timedelta(minutes=minutes)) for minutes in range(0, 240, 20)]
    with pytest.raises(EventFileError, match=r"r.csv, rows 13, 14: .* no hour from 2013-03-10 02:00 to 03:00"):
        read([*rows, "2013-03-10 02:30:00", "2013-03-10 02:31:00"])


def test_times_of_the_settings_are_held_to_the_same() -> None:
    """A talk cannot begin in an hour that came twice or never, unless the offset or the choice tells."""
    reading = TimeReading(zone=ZONE)
    assert moment("2013-11-03 00:30:00", reading, "start") == ms(AUTUMN + timedelta(minutes=30))
    with pytest.raises(EventFileError, match=r"talk_start: 2013-11-03 01:30:00: .* 01:00 to 02:00 came twice"):
        moment("2013-11-03 01:30:00", reading, "talk_start")
    with pytest.raises(EventFileError, match="no hour from 2013-03-10 02:00 to 03:00"):
        moment("2013-03-10 02:30:00", reading, "start")
    assert moment("2013-11-03 01:30:00-05:00", reading, "start") == ms(AUTUMN + timedelta(hours=2, minutes=30))
    second = TimeReading(zone=ZONE, doubled_hour="second")
    assert moment("2013-11-03 01:30:00", second, "start") == ms(AUTUMN + timedelta(hours=2, minutes=30))


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("11/02/2013 08:15:30 PM", "%m/%d/%Y %I:%M:%S %p", datetime(2013, 11, 3, 0, 15, 30, tzinfo=UTC)),
        ("11/2/13, 8:15:30\u202fPM", "%m/%d/%y, %I:%M:%S %p", datetime(2013, 11, 3, 0, 15, 30, tzinfo=UTC)),
        ("02.11.2013 20:15 +0100", "%d.%m.%Y %H:%M %z", datetime(2013, 11, 2, 19, 15, tzinfo=UTC)),
    ],
)
def test_times_may_have_a_form_of_their_own(text: str, form: str, expected: datetime) -> None:
    """--time-format is Python's strptime; blanks that do not break are blanks."""
    assert read([text], time_format=form) == [ms(expected)]


def test_a_time_of_another_form_is_refused() -> None:
    """The message has the row, the value and the form."""
    with pytest.raises(
        EventFileError, match=r"r.csv, row 2: '2013-11-02' is no time since 1970 of the form '%d.%m.%Y'"
    ):
        read(["02.11.2013", "2013-11-02"], time_format="%d.%m.%Y")
