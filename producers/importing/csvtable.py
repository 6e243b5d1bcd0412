"""Reading CSV so that no row is merged with another or lost without an error.

Python's parser in strict mode reads the file. Anything beyond RFC 4180 is read only where there is one reading: a
file with backslashes before quotes is read both ways, and refused where both ways succeed with different rows.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from producers.importing.sourcetable import FileLayout, Quoting, SourceTable, check_lines, refuse_twice
from producers.importing.textfile import read_text
from streams.errors import EventFileError

_SEPARATORS: Final = (",", ";", "\t", "|")
"""What a file's columns may be separated with: the one its header has most of."""
_NAMED_SEPARATOR: Final = re.compile(r'"?sep=([,;\t|])"?(?:\r\n|\r|\n)', re.IGNORECASE)
_CHUNK: Final = 50_000
"""Rows held as Python objects at a time."""
_DIALECTS: Final[dict[str, dict[str, Any]]] = {
    "doubled": {"doublequote": True},
    "backslash": {"doublequote": True, "escapechar": "\\"},
    "none": {"quoting": csv.QUOTE_NONE},
}
_NULL_ESCAPE: Final = r"(?m)(?:(?<=^)|(?<=[{0}]))\\N(?=[{0}\r\n]|\Z)"
"""MySQL's word for no value, a field of its own; with a backslash as escape the parser would read it as N."""


@dataclass(frozen=True)
class _Body:
    """The part of a file that is the table, and how many lines lie around it."""

    text: str
    first_line: int
    outside: int
    separator: str | None = None
    """The one that the file names, in the line ``sep=;`` that spreadsheets read and write."""


def read_csv(path: Path, wanted: Sequence[str], timed: str, layout: FileLayout) -> SourceTable:
    """Return the wanted columns of a CSV file.

    Args:
        path: The file.
        wanted: Column names; those that are not there are left out.
        timed: The column of times, by which a row inside of quotes is recognised.
        layout: Where the table is and how quotes are written.

    Raises:
        EventFileError: The file cannot be read without a doubt; the text names the row and its line.
    """
    source = read_text(path, layout.encoding)
    body = _body(path, source.text, layout)
    table = _Parser(path, body, wanted, timed).read(layout.quoting)
    lines = {name: table.lines[name] for name in table.lines} | {"outside": body.outside}
    check_lines(path, source.text, lines)
    return SourceTable(table.frame, table.names, table.rows, source.encoding, lines)


def _body(path: Path, text: str, layout: FileLayout) -> _Body:
    if not layout.skip_lines and layout.section is None:
        named = _NAMED_SEPARATOR.match(text)
        return _Body(text[named.end() :], 2, 1, named[1]) if named else _Body(text, 1, 0)
    lines = io.StringIO(text, newline="")
    for _ in range(layout.skip_lines):
        lines.readline()
    above = layout.skip_lines
    if layout.section is None:
        return _Body(lines.read(), above + 1, above)
    for line in lines:
        above += 1
        if line.strip(' \t\r\n"').startswith(layout.section):
            break
    else:
        raise EventFileError(f"{path}: no line begins with {layout.section!r} (--section)")
    inside: list[str] = []
    for line in lines:
        if inside and not line.strip():
            return _Body("".join(inside), above + 1, above + 1 + sum(1 for _ in lines))
        inside.append(line)
    return _Body("".join(inside), above + 1, above)


class _Parser:
    """Reads the rows of one table in one or another dialect."""

    def __init__(self, path: Path, body: _Body, wanted: Sequence[str], timed: str) -> None:
        self._path = path
        self._body = body
        self._wanted = wanted
        self._timed = timed
        self._separator = body.separator or _separator(body.text)

    def read(self, quoting: Quoting) -> SourceTable:
        """Return the table in the dialect given, or in the one dialect that makes sense of it."""
        if quoting != "auto":
            return self._parsed(quoting)
        text = self._body.text
        try:
            plain = self._parsed("doubled", careful=True)
        except EventFileError as error:
            if "\\" not in text:
                raise
            try:
                return self._parsed("backslash", careful=True)
            except EventFileError:
                raise error from None
        if re.search(r'\\["\r\n]', text):
            self._refuse_other_reading(plain)
        return plain

    def _refuse_other_reading(self, plain: SourceTable) -> None:
        try:
            other = self._parsed("backslash", careful=True)
        except EventFileError:
            return
        if plain.frame.equals(other.frame):
            return
        rows = min(plain.rows, other.rows)
        same = pl.all_horizontal(
            plain.frame[name].head(rows).eq_missing(other.frame[name].head(rows)) for name in plain.frame.columns
        )
        differing = (~pl.select(same).to_series()).arg_true()
        row = int(differing[0]) + 1 if len(differing) else rows + 1
        raise EventFileError(
            f"{self._path}, row {row}: a backslash before a quote or a line end can be read in two ways; choose "
            "--quoting backslash (what follows it is part of the text) or --quoting doubled (the backslash is)"
        )

    def _parsed(self, dialect: str, *, careful: bool = False) -> SourceTable:
        csv.field_size_limit(1 << 30)
        text = self._body.text
        if dialect == "backslash":
            text = re.sub(_NULL_ESCAPE.format(self._separator), "", text)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self._separator, strict=True, **_DIALECTS[dialect])
        rows = _Rows(self._path, reader, self._body.first_line - 1)
        header = [name.strip() for name in rows.header()]
        refuse_twice(self._path, header, self._wanted)
        there = [name for name in self._wanted if name in header]
        places = [header.index(name) for name in there]
        time_place = header.index(self._timed) if careful and self._timed in header else None
        schema = dict.fromkeys(there, pl.String)
        parts = [pl.DataFrame(schema=schema)]
        while chunk := rows.take(len(header), self._separator, time_place):
            parts.append(pl.DataFrame([[row[place] for row in chunk] for place in places], schema=schema))
        return SourceTable(pl.concat(parts), tuple(header), rows.count, lines=rows.lines())


class _Rows:
    """The records of a parser: counted, each as long as the header, each with its line."""

    def __init__(self, path: Path, reader: Iterator[list[str]], above: int) -> None:
        self._path = path
        self._reader: Any = reader
        self._above = above
        self.count = 0
        """Rows so far, header and blank ones left out."""
        self._blank = 0
        self._header_lines = 0

    def header(self) -> list[str]:
        """Return the first record that is not blank."""
        while (record := self._next()) is not None:
            if any(record):
                self._header_lines = self._reader.line_num - self._blank
                return record
            self._blank += 1
        raise EventFileError(f"{self._path}: there are no rows in it")

    def take(self, width: int, separator: str, time_place: int | None) -> list[list[str]]:
        """Return the next rows, an empty list at the end."""
        chunk: list[list[str]] = []
        line = self._reader.line_num
        while len(chunk) < _CHUNK and (record := self._next()) is not None:
            lines, line = self._reader.line_num - line, self._reader.line_num
            if not any(record):
                self._blank += lines
                continue
            self.count += 1
            if len(record) != width:
                raise self._error(line - lines, f"it has {len(record)} fields, the header has {width}")
            if lines > 1 and time_place is not None and _holds_a_row(record, separator, time_place):
                raise self._error(
                    line - lines,
                    "a quoted text goes on over lines that look like rows: a quote is missing or one too many "
                    "(--quoting none: quotes mean nothing; --quoting doubled: it is right as it is)",
                )
            chunk.append(record)
        return chunk

    def lines(self) -> dict[str, int]:
        """Return the lines by what they are, once all are read."""
        inside = self._reader.line_num - self._header_lines - self._blank - self.count
        return {"header": self._header_lines, "table": self.count, "continued": inside, "blank": self._blank}

    def _next(self) -> list[str] | None:
        line = self._reader.line_num
        try:
            return next(self._reader, None)
        except csv.Error as error:
            self.count += 1
            raise self._error(
                line,
                f"{error}; a quote inside of quotes is doubled, or follows a backslash (or --quoting none)",
            ) from None

    def _error(self, line: int, what: str) -> EventFileError:
        return EventFileError(f"{self._path}, row {self.count} (line {self._above + line + 1}): {what}")


def _holds_a_row(record: Sequence[str], separator: str, time_place: int) -> bool:
    """Whether a text of a record goes on with lines that have a time where the record has its own."""
    shape = _shape(record[time_place])
    for text in record:
        for line in text.splitlines()[1:]:
            fields = line.split(separator)
            if shape and len(fields) > max(1, time_place) and _shape(fields[time_place]) == shape:
                return True
    return False


def _shape(value: str) -> str:
    """Return how a time is written: a number by its length, all else by the marks between its first numbers."""
    value = value.strip('" ')
    return "9" * len(value) if value.isdigit() else re.sub(r"\d+", "9", value)[:5]


def _separator(text: str) -> str:
    header = text.lstrip("\r\n")[: 1 << 16].splitlines()
    bare = re.sub(r'"[^"]*"', "", header[0]) if header else ""
    return max(_SEPARATORS, key=bare.count)
