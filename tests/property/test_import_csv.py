"""Whatever a CSV writer wrote: it is read as it was meant, or refused; no row is merged, split or dropped."""

import csv
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from producers.importing.csvtable import read_csv
from producers.importing.sourcetable import FileLayout
from streams.errors import EventFileError

COLUMNS: Final = ("at", "person", "text", "more")
WRITERS: Final[list[dict[str, Any]]] = [
    {"quoting": csv.QUOTE_MINIMAL},
    {"quoting": csv.QUOTE_ALL},
    {"quoting": csv.QUOTE_NONNUMERIC, "delimiter": ";"},
    {"quoting": csv.QUOTE_ALL, "doublequote": False, "escapechar": "\\"},
    {"quoting": csv.QUOTE_MINIMAL, "doublequote": False, "escapechar": "\\"},
    {"quoting": csv.QUOTE_NONE, "escapechar": "\\", "delimiter": "\t"},
]
"""RFC 4180, and backslashes as MySQL, Spark and pandas with an escape character write them."""
texts = st.text(alphabet='ab"\\,;\t\n1', max_size=8)
tables = st.lists(st.tuples(texts, texts), min_size=1, max_size=6)


def written(rows: Sequence[tuple[str, ...]], options: dict[str, Any]) -> str:
    """Return a table as a CSV writer writes it."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n", **options).writerows([COLUMNS, *rows])
    return out.getvalue()


@settings(max_examples=400)
@given(tables, st.sampled_from(WRITERS))
@example([('say \\"', '\\"'), ('"', "\\")], WRITERS[3])
@example([("C:\\", "D:\\"), ('\\"', '"')], WRITERS[1])
@example([("", "\n")], WRITERS[-1])
def test_it_is_read_as_it_was_meant_or_refused(table: list[tuple[str, str]], options: dict[str, Any]) -> None:
    """Quotes, separators and line ends in texts come back, or the file is refused; a backslash may stay doubled."""
    rows = [(str(1684965600 + number), f"p{number}", *cells) for number, cells in enumerate(table)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "r.csv"
        file.write_bytes(written(rows, options).encode())
        try:
            found = read_csv(file, COLUMNS, "at", FileLayout())
        except EventFileError:
            return
    assert [_bare(row) for row in found.frame.iter_rows()] == [_bare(row) for row in rows]


def _bare(row: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text.replace("\\", "") for text in row)
