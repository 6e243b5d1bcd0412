"""Attendance lists: one row is a whole stay."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from producers.importing.importer import ImportRequest, import_tape
from producers.importing.importreport import ImportReport
from producers.importing.importspec import ImportSpec
from streams.errors import EventFileError
from tests.legalpaths import faults


def imported(folder: Path, text: str, **spec: Any) -> ImportReport:
    """Import a list of this text, times on a clock in New York."""
    file = folder / "r.csv"
    file.write_text(text, encoding="utf-8")
    request = ImportRequest(file, folder / "t.parquet", ImportSpec(zone="America/New_York", **spec))
    return import_tape(request, generator="tests")


def paths(report: ImportReport) -> list[tuple[str, str, str, str]]:
    """Return clock (UTC), person, kind and room of the events that stem from rows; the tape is legal."""
    tape = pl.read_parquet(report.tape)
    assert faults(tape.to_dicts()) == []
    names = dict(pl.read_parquet(report.ids).select("id", "original").iter_rows())
    at = pl.col("at").cast(pl.Datetime("ms")).dt.strftime("%H:%M:%S")
    rows = tape.filter(pl.col("kind") != "attempt").select(at, "person", "kind", "space")
    return [(at, names[person], kind, space) for at, person, kind, space in rows.iter_rows()]


def test_a_row_is_a_join_and_a_leave(tmp_path: Path) -> None:
    """By the time to leave or by a duration; a stay without an end is a join."""
    text = (
        "at,leave_at,duration,person\n2024-05-01 18:00:00,2024-05-01 18:10:00,,ann\n"
        "2024-05-01 18:01:00,,1h 2m 3s,bob\n2024-05-01 18:02:00,,,cy\n"
    )
    report = imported(tmp_path, text)
    assert paths(report) == [
        ("22:00:00", "ann", "join", "room"), ("22:01:00", "bob", "join", "room"), ("22:02:00", "cy", "join", "room"),
        ("22:10:00", "ann", "leave", "room"), ("23:03:03", "bob", "leave", "room"),
    ]  # fmt: skip
    assert report.files[0].used == 3
    assert report.problems.counts == {}


def test_overlapping_stays_are_one(tmp_path: Path) -> None:
    """Two devices of one person: from the first join to the last leave; the second row is left out and named."""
    text = (
        "at,leave_at,person\n2024-05-01 18:05:00,2024-05-01 18:20:00,ann\n2024-05-01 18:00:00,2024-05-01 18:10:00,ann\n"
        "2024-05-01 18:20:00,2024-05-01 18:30:00,ann\n"
    )
    report = imported(tmp_path, text)
    assert [row[0::2] for row in paths(report)] == [
        ("22:00:00", "join"), ("22:20:00", "leave"), ("22:20:00", "join"), ("22:30:00", "leave")
    ]  # fmt: skip
    assert report.problems.examples == {"overlapping": ["row 1, 'ann', with row 2"]}
    assert (report.files[0].used, report.files[0].left_out) == (2, {"overlapping": 1})


def test_rows_of_other_kinds_may_stand_between(tmp_path: Path) -> None:
    """A kind column tells stays from rows to leave out; several columns name a person, the first with a value."""
    text = (
        "at,leave_at,mail,name,waiting\n2024-05-01 18:00:00,2024-05-01 18:01:00,,Ann,Yes\n"
        "2024-05-01 18:01:00,2024-05-01 18:10:00,,Ann,No\n"
        "2024-05-01 18:02:00,2024-05-01 18:09:00,b@example.com,Bob,No\n"
    )
    columns = {"person": ("mail", "name"), "kind": "waiting"}
    report = imported(tmp_path, text, columns=columns, kinds={"no": "join", "yes": "ignore"})
    assert [row[1:3] for row in paths(report)] == [
        ("Ann", "join"), ("b@example.com", "join"), ("b@example.com", "leave"), ("Ann", "leave")
    ]  # fmt: skip
    assert report.files[0].left_out == {"ignored": 1}


@pytest.mark.parametrize(
    ("row", "utc"),
    [
        ("2013-11-03 00:50:00,2013-11-03 01:10:00,20m", "05:10:00"),
        ("2013-11-03 00:50:00,2013-11-03 01:10:00,80m", "06:10:00"),
        ("2013-11-03 01:40:00-04:00,2013-11-03 01:10:00,", "06:10:00"),
    ],
)
def test_join_and_duration_tell_a_doubled_hour(row: str, utc: str, tmp_path: Path) -> None:
    """A leave in the hour that comes twice is the one that fits the duration, or the one after the join."""
    assert paths(imported(tmp_path, f"at,leave_at,duration,person\n{row},ann\n"))[-1][0] == utc


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2013-11-03 00:50:00,2013-11-03 01:10:00,", "row 1: in America/New_York the hour from 2013-11-03 01:00"),
        ("2024-05-01 18:00:00,2024-05-01 17:00:00,", "row 1: the stay ends before it begins"),
        ("2024-05-01 18:00:00,,soon", "row 1: 'soon' is no duration"),
        ("2024-05-01 18:00:00,later,", "row 1: 'later' is no time"),
    ],
)
def test_a_stay_that_cannot_be_is_refused(row: str, message: str, tmp_path: Path) -> None:
    """Ends that cannot be told, that come before the join, or that are no times."""
    with pytest.raises(EventFileError) as error:
        imported(tmp_path, f"at,leave_at,duration,person\n{row},ann\n")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "unit", "seconds"),
    [
        ("90", "s", 90), ("1.5", "m", 90), ("2", "h", 7200), ("1h 2m 10s", "s", 3730), ("45m", "s", 2700),
        ("01:02:10", "s", 3730), ("PT1H2M", "s", 3720), ("1 hr 12 min", "s", 4320), ("5s", "m", 5),
    ],
)  # fmt: skip
def test_durations_are_written_in_many_ways(text: str, unit: str, seconds: int, tmp_path: Path) -> None:
    """Words, clocks, ISO 8601, and numbers of a unit."""
    report = imported(tmp_path, f"at,duration,person\n2024-05-01T00:00:00Z,{text},ann\n", duration_unit=unit)
    at = pl.read_parquet(report.tape)["at"]
    assert at[-1] - at[0] == seconds * 1000
