"""Dates that stretch a night are named, and too long a night is refused."""

from pathlib import Path
from typing import Any

import pytest

from producers.importing.importer import ImportRequest, import_tape
from producers.importing.importspec import ImportSpec
from streams.errors import EventFileError


def warnings(folder: Path, times: list[str], **spec: Any) -> tuple[str, ...]:
    """Import joins at these times and return the warnings."""
    file = folder / "r.csv"
    rows = [f"{time},{number},join" for number, time in enumerate(times)]
    file.write_text("at,person,kind\n" + "\n".join(rows), encoding="utf-8")
    request = ImportRequest(file, folder / "t.parquet", ImportSpec(**spec))
    return import_tape(request, generator="tests").warnings


NIGHT = [f"2023-05-24T22:{minute:02}:00Z" for minute in range(8)]


def test_an_outlier_of_a_date_is_named(tmp_path: Path) -> None:
    """Row, value, and what it does to the night; one before and one behind the others."""
    assert warnings(tmp_path, NIGHT) == ()
    found = warnings(tmp_path, [*NIGHT, "2023-06-23T22:07:00Z"])
    expected = (
        "row 9: 2023-06-23T22:07:00.000Z is 30.0 days away from the other rows; it stretches the night to 30.0 days"
    )
    assert found == (f"{tmp_path}/r.csv, {expected}, 518,484 windows",)
    assert "row 4: 2023-05-02" in warnings(tmp_path, [*NIGHT[:3], "2023-05-02T22:00:00Z", *NIGHT[3:]])[0]


def test_a_night_in_parts_has_no_outlier(tmp_path: Path) -> None:
    """Two evenings with people on both are no slip of a date."""
    assert warnings(tmp_path, [*NIGHT, *(time.replace("-24T", "-26T") for time in NIGHT)]) == ()


def test_a_wrong_year_is_refused_unless_it_is_right(tmp_path: Path) -> None:
    """The message names the row and what it costs; --allow-long takes it."""
    times = [*NIGHT, "2014-05-24T22:00:00Z"]
    with pytest.raises(
        EventFileError, match=r"the night takes 9\.0 years, .* windows, more than 92 days; .*row 9: 2014"
    ):
        warnings(tmp_path, times)
    assert "row 9" in warnings(tmp_path, times, allow_long=True)[0]


def test_times_that_are_no_dates_are_pointed_out(tmp_path: Path) -> None:
    """Seconds of a day and a spreadsheet's days are taken as since 1970, with a warning."""
    assert "all times lie in 1970" in warnings(tmp_path, ["45070", "45071"])[0]
