"""What an import reports: what it read, what it made, and where every row of the files went."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from producers.importing.fields import FILE, ROW
from producers.importing.problemlog import ProblemLog
from producers.importing.rows import FileRows
from producers.tape.tapeformat import TapeInfo
from streams.errors import EventFileError


@dataclass(frozen=True)
class FileAccount:
    """Where the rows of one file went; ``rows`` = ``used`` + the sum of ``left_out``.

    Args:
        path: The file.
        rows: Rows of the file.
        used: Rows of which at least one event is on the tape.
        left_out: The other rows, by the reason (of ``producers.importing.problemlog``, or ``ignored``).
        lines: Lines of a text file by what they are (``producers.importing.sourcetable``).
        encoding: Of a text file, else empty.
        missing: Words that were read as no value, by field.
    """

    path: Path
    rows: int
    used: int
    left_out: dict[str, int]
    lines: dict[str, int]
    encoding: str
    missing: dict[str, dict[str, int]]

    def text(self) -> str:
        """Return the account as one line."""
        out = "".join(f", {count} left out ({reason})" for reason, count in self.left_out.items())
        lines = [f"{count} {name}" for name, count in self.lines.items() if count and name != "table"]
        more = f"; other lines: {', '.join(lines)}" if lines else ""
        encoding = f"; read as {self.encoding}" if self.encoding not in {"", "utf-8"} else ""
        words = sorted({word for words in self.missing.values() for word in words})
        missing = f"; read as no value: {', '.join(words)}" if words else ""
        return f"{self.path}: {self.rows} rows, {self.used} used{out}{more}{encoding}{missing}"


@dataclass(frozen=True)
class ImportReport:
    """What an import has made.

    Args:
        tape: The file.
        ids: The table of ids next to it (Parquet: ``kind`` person or post, ``id`` on the tape, ``original``).
        info: The tape's metadata.
        files: Where the rows of each file went.
        kinds: Events on the tape, by kind.
        put_in: Events among them that the recording did not have, by kind.
        inside_at_end: People still in a room when the recording ends.
        problems: What did not fit, and what was made of it.
        warnings: What is allowed and likely to be wrong.
    """

    tape: Path
    ids: Path
    info: TapeInfo
    files: tuple[FileAccount, ...]
    kinds: dict[str, int]
    put_in: dict[str, int]
    inside_at_end: int
    problems: ProblemLog
    warnings: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """Return the same as plain data."""
        return {
            "tape": str(self.tape),
            "ids": str(self.ids),
            "info": {name: getattr(self.info, name) for name in ("name", "events", "people", "start", "end", "sha256")},
            "rows": {str(file.path): file.rows for file in self.files},
            "files": [asdict(file) | {"path": str(file.path)} for file in self.files],
            "kinds": self.kinds,
            "put_in": self.put_in,
            "inside_at_end": self.inside_at_end,
            "problems": {
                kind: {"count": count, "examples": self.problems.examples[kind]}
                for kind, count in self.problems.counts.items()
            },
            "warnings": list(self.warnings),
        }


def accounts(files: Iterable[FileRows], tape: pl.DataFrame, problems: ProblemLog) -> tuple[FileAccount, ...]:
    """Return where the rows of each file went.

    Args:
        files: As they were read.
        tape: The events on the tape, with the number of their file and row.
        problems: Why rows were left out.

    Raises:
        EventFileError: Rows are neither on the tape nor left out for a reason: the import itself is wrong.
    """
    return tuple(_account(number, file, tape, problems) for number, file in enumerate(files))


def _account(number: int, file: FileRows, tape: pl.DataFrame, problems: ProblemLog) -> FileAccount:
    used = set(tape.filter(pl.col(FILE) == number)[ROW].unique())
    reasons = Counter(reason for (of, row), reason in problems.left_out.items() if of == number and row not in used)
    if len(used) + reasons.total() != file.rows:
        raise EventFileError(
            f"{file.path}: of {file.rows} rows {len(used)} are used and {reasons.total()} left out for a reason; the "
            "import is wrong, not the file: please report it"
        )
    source = file.table.source
    return FileAccount(
        path=file.path,
        rows=file.rows,
        used=len(used),
        left_out=dict(sorted(reasons.items())),
        lines=source.lines,
        encoding=source.encoding,
        missing=file.table.missing,
    )
