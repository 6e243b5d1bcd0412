"""People who go by several ids, in one file or in two."""

from pathlib import Path

import polars as pl
import pytest

from producers.importing.importer import ImportRequest, import_tape
from producers.importing.importspec import ImportSpec
from producers.importing.people import read_people
from streams.errors import EventFileError


def test_a_name_and_an_address_are_one_person(tmp_path: Path) -> None:
    """The first column stands for the others: in the events, in the posts, in the table of ids."""
    (tmp_path / "people.csv").write_text("mail,chat,phone\na@example.com,ann_42,\nb@example.com,,0151\n")
    (tmp_path / "r.csv").write_text("at,person,kind\n1684965600,a@example.com,join\n1684965601,0151,join\n")
    (tmp_path / "p.csv").write_text("at,person\n1684965602,ann_42\n1684965603,stranger\n")
    request = ImportRequest(
        tmp_path / "r.csv",
        tmp_path / "t.parquet",
        ImportSpec(),
        posts=tmp_path / "p.csv",
        people=tmp_path / "people.csv",
    )
    report = import_tape(request, generator="tests")
    ids = pl.read_parquet(report.ids).filter(pl.col("kind") == "person")["original"].to_list()
    assert ids == ["a@example.com", "b@example.com", "stranger"]
    assert report.info.people == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\nann,x\nbob,x\n", "rows 1 and 2: 'x' belongs to two people"),
        ("a,b\nann,x\nx,bob\n", "rows 1 and 2: 'x' belongs to two people"),
        ("a,b\n,x\n", "row 1: the first column is empty"),
        ("a,a\nann,x\n", "two columns have one name"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(text: str, message: str, tmp_path: Path) -> None:
    """An id belongs to one person."""
    (tmp_path / "people.csv").write_text(text)
    with pytest.raises(EventFileError, match=message):
        read_people(tmp_path / "people.csv")
