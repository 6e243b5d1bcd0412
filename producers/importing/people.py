"""A table of people who go by several ids: a name in the chat and an address in the attendance list are one person."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from producers.importing import values
from producers.importing.csvtable import read_csv
from producers.importing.reading import format_of
from producers.importing.sourcetable import FileLayout
from streams.errors import EventFileError

_PERSON: Final = "person"


def read_people(path: Path) -> dict[str, str]:
    """Return the id that stands for each other id of a person.

    Args:
        path: CSV with a header; each row is one person. The first column is the id that stands for all in the row.

    Raises:
        EventFileError: The file cannot be read, or an id belongs to two people.
    """
    if format_of(path) != "csv":
        raise EventFileError(f"{path}: expected a CSV file with one row per person")
    names = read_csv(path, (), "", FileLayout()).names
    if len(set(names)) < len(names):
        raise EventFileError(f"{path}: two columns have one name: {', '.join(names)}")
    table = read_csv(path, names, "", FileLayout())
    columns = [values.normalised(path, _PERSON, [table.frame[name]])[0].to_list() for name in names]
    found: dict[str, tuple[str, int]] = {}
    for row, ids in enumerate(zip(*columns, strict=True), 1):
        if ids[0] is None:
            raise EventFileError(
                f"{path}, row {row}: the first column is empty; it is the id that stands for the others"
            )
        for one in ids:
            if one is not None and found.setdefault(one, (ids[0], row))[0] != ids[0]:
                raise EventFileError(f"{path}, rows {found[one][1]} and {row}: {one!r} belongs to two people")
    return {one: main for one, (main, _) in found.items() if one != main}


def as_one(person: pl.Series, people: Mapping[str, str]) -> pl.Series:
    """Return ids with those of one person made equal."""
    return person.replace(people) if people else person
