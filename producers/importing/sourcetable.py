"""A table as its file has it: texts, the names of all columns, and where every line of the file went."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

import polars as pl

from streams.errors import EventFileError

Quoting: TypeAlias = Literal["auto", "doubled", "backslash", "none"]
QUOTINGS: Final = ("auto", "doubled", "backslash", "none")


@dataclass(frozen=True)
class FileLayout:
    """Where in a file its table is, and how the file writes it.

    Args:
        encoding: Of a text file; None: seen from its bytes.
        skip_lines: Lines above the table.
        section: The line above the table begins so; the table ends at the next blank line. Of JSON: the dotted name of
            the array of rows.
        quoting: How a CSV file writes a quote inside of quotes.
    """

    encoding: str | None = None
    skip_lines: int = 0
    section: str | None = None
    quoting: Quoting = "auto"


@dataclass(frozen=True)
class SourceTable:
    """The columns asked for, as texts, one row per row of the file.

    Args:
        frame: Columns of texts under their names in the file; null where the file has no value.
        names: All columns of the file.
        rows: Rows of the file.
        encoding: A text file's encoding, empty for Parquet.
        lines: Lines of a text file by what they are: ``table`` (first line of a row), ``continued`` (inside of
            quotes), ``header``, ``blank``, ``outside`` (above or below the table).
    """

    frame: pl.DataFrame
    names: tuple[str, ...]
    rows: int
    encoding: str = ""
    lines: dict[str, int] = field(default_factory=dict)


def count_lines(text: str) -> int:
    """Return the number of lines, ended by CR LF, LF or CR; the last one may lack its end."""
    ends = text.count("\n") + text.count("\r") - text.count("\r\n")
    return ends + (text != "" and text[-1] not in "\r\n")


def check_lines(path: Path, text: str, lines: dict[str, int]) -> None:
    """Hold what a reader made of a file's lines against a count of its own; raises EventFileError if lines are lost."""
    there, known = count_lines(text), sum(lines.values())
    if there != known:
        raise EventFileError(
            f"{path}: it has {there} lines, but {known} were read: a line holds a character that a reader takes for "
            "the end of a line, or quotes are not closed"
        )


def refuse_twice(path: Path, names: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise EventFileError if a wanted column is there twice: nothing decides which one is meant."""
    for name in wanted:
        if names.count(name) > 1:
            raise EventFileError(f"{path}: {names.count(name)} columns are called {name!r}; rename all but one")
