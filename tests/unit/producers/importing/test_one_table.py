"""One table in every dialect of every format makes one tape."""

import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from producers.importing.importer import ImportRequest, import_tape
from producers.importing.importspec import ImportSpec
from streams.errors import EventFileError

FIRST: Final = datetime(2023, 5, 24, 22, 0, 0, 250_000, tzinfo=UTC)
NAMES: Final = ("at", "person", "kind", "space", "tweet_id", "ref", "text", "lang", "label_effect", "hashtags")


def rows() -> list[dict[str, Any]]:
    """Return the table: ids with gaps, texts with everything a dialect trips over, booleans, lists, values missing."""
    texts = ['say "hi"', "a,b;c\td|e", "two\nlines", "C:\\temp\\", "Grüße “quoted”", "#One #two"]
    found: list[dict[str, Any]] = []
    for number in range(24):
        post = number % 4 == 3
        row = dict.fromkeys(NAMES)
        row |= {
            "at": FIRST + timedelta(seconds=7 * number),
            "person": 1 + number % 5,
            "kind": "post" if post else "join",
        }
        if post:
            row |= {"tweet_id": 100 + number, "text": texts[number // 4], "label_effect": number % 8 == 3}
            row |= {"ref": 100 + number - 4} if number % 3 == 0 else {}
            row |= {"hashtags": ["a", "b"]} if number % 5 == 0 else {}
        else:
            row |= {"space": "Raum ü" if number % 2 else "10"}
        found.append(row)
    return found


def iso(at: datetime) -> str:
    """Return a time as most programs write it."""
    return at.isoformat()


def csv(separator: str = ",", none: str = "", quote_all: bool = False, end: str = "\n", ids: str = "{}") -> str:
    """Return the table as CSV."""
    lines = [separator.join(NAMES)]
    for row in rows():
        cells = []
        for name, value in row.items():
            text = none if value is None else iso(value) if name == "at" else str(value)
            text = json.dumps(value) if isinstance(value, list) else text
            text = ids.format(text) if name in {"person", "ref"} and value is not None else text
            if quote_all or any(letter in text for letter in f'"\n{separator}'):
                text = '"' + text.replace('"', '""') + '"'
            cells.append(text)
        lines.append(separator.join(cells))
    return end.join(lines) + end


def jsonl(end: str = "\n", *, keep_null: bool = False, floats: bool = False) -> str:
    """Return the table as JSONL."""
    found = []
    for row in rows():
        plain = {name: iso(value) if name == "at" else value for name, value in row.items()}
        if floats:
            plain |= {name: None if plain[name] is None else float(plain[name]) for name in ("person", "ref")}
        found.append(json.dumps({name: value for name, value in plain.items() if keep_null or value is not None}))
    return end.join(found) + end


def array(indent: int | None = None) -> str:
    """Return the table as one JSON array."""
    return json.dumps([json.loads(line) for line in jsonl().splitlines()], indent=indent)


def table() -> pa.Table:
    """Return the table as Arrow."""
    return pa.Table.from_pylist(rows())


def parquet(change: Callable[[pa.Table], pa.Table] = lambda whole: whole, **options: Any) -> bytes:
    """Return the table as Parquet, changed before and written with options."""
    out = io.BytesIO()
    pq.write_table(change(table()), out, **options)
    return out.getvalue()


def cast(**types: pa.DataType) -> Callable[[pa.Table], pa.Table]:
    """Return a change that gives columns other types."""

    def change(whole: pa.Table) -> pa.Table:
        for name, kind in types.items():
            column = whole.column(name).cast(kind, safe=False)
            whole = whole.set_column(whole.schema.get_field_index(name), name, column)
        return whole

    return change


def nested(whole: pa.Table) -> pa.Table:
    """Return the table with an unrelated struct in it, as chat exports have."""
    return whole.append_column("author", pa.array([{"name": "x", "badges": [1]}] * whole.num_rows))


def by_duckdb(suffix: str, options: str) -> bytes:
    """Return the table as DuckDB writes it."""
    import tempfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.register("whole", table())
        path = f"{folder}/t.{suffix}"
        db.execute(f"copy (select * from whole) to '{path}' ({options})")
        return Path(path).read_bytes()


def by_polars() -> bytes:
    """Return the table as Polars writes it, words as categories."""
    out = io.BytesIO()
    frame = pl.DataFrame(pl.from_arrow(table()))
    frame.with_columns(pl.col("kind", "space").cast(pl.Categorical)).write_parquet(out)
    return out.getvalue()


WORDS: Final = pa.dictionary(pa.int32(), pa.string())
DIALECTS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "csv": ("csv", lambda: csv().encode()),
    "csv, semicolons": ("csv", lambda: csv(";").encode()),
    "csv, its separator named": ("csv", lambda: b"sep=;\r\n" + csv(";", end="\r\n").encode()),
    "csv, tabs": ("tsv", lambda: csv("\t").encode()),
    "csv, bars": ("csv", lambda: csv("|").encode()),
    "csv, all quoted, CR LF": ("csv", lambda: csv(quote_all=True, end="\r\n").encode()),
    "csv, blank lines": ("csv", lambda: csv(end="\n\n").encode()),
    "csv, compressed": ("csv.gz", lambda: gzip.compress(csv().encode())),
    "csv, UTF-8 with a mark": ("csv", lambda: csv().encode("utf-8-sig")),
    "csv, UTF-16": ("csv", lambda: csv("\t").encode("utf-16")),
    "csv, UTF-16 without a mark": ("csv", lambda: csv("\t").encode("utf-16-be")),
    "csv, Windows-1252": ("csv", lambda: csv().encode("cp1252")),
    "csv, whole numbers as fractions": ("csv", lambda: csv(ids="{}.0").encode()),
    "csv, NULL for nothing": ("csv", lambda: csv(none="NULL").encode()),
    "csv, \\N for nothing": ("csv", lambda: csv(none="\\N").encode()),
    "csv by DuckDB": ("csv", lambda: by_duckdb("csv", "format csv, header")),
    "jsonl": ("jsonl", lambda: jsonl().encode()),
    "jsonl, nulls, CR LF": ("jsonl", lambda: jsonl("\r\n", keep_null=True).encode()),
    "jsonl, a mark, blank lines": ("jsonl", lambda: jsonl("\n\n").encode("utf-8-sig")),
    "jsonl, compressed": ("jsonl.gz", lambda: gzip.compress(jsonl().encode())),
    "jsonl, whole numbers as fractions": ("jsonl", lambda: jsonl(floats=True).encode()),
    "jsonl, NaN for nothing": ("jsonl", lambda: jsonl(floats=True, keep_null=True).replace("null", "NaN").encode()),
    "jsonl by DuckDB": ("ndjson", lambda: by_duckdb("ndjson", "format json")),
    "json": ("json", lambda: array().encode()),
    "json, indented, a mark": ("json", lambda: array(indent=2).encode("utf-8-sig")),
    "json, UTF-16, compressed": ("json.gz", lambda: gzip.compress(array().encode("utf-16"))),
    "json, inside of an object": ("json", lambda: b'{"meeting": {"id": 7, "rows": %b}, "n": 24}' % array().encode()),
    "json, one object per line": ("json", lambda: jsonl().encode()),
    "json by DuckDB": ("json", lambda: by_duckdb("json", "format json, array true")),
    "parquet, ms": ("parquet", lambda: parquet(cast(at=pa.timestamp("ms", "UTC")))),
    "parquet, us": ("parquet", parquet),
    "parquet, ns in another zone": ("parquet", lambda: parquet(cast(at=pa.timestamp("ns", "America/New_York")))),
    "parquet, int96": ("parquet", lambda: parquet(cast(at=pa.timestamp("ns")), use_deprecated_int96_timestamps=True)),
    "parquet, no zone": ("parquet", lambda: parquet(cast(at=pa.timestamp("us")))),
    "parquet, fractions": ("parquet", lambda: parquet(cast(person=pa.float64(), ref=pa.float64()))),
    "parquet, decimals": ("parquet", lambda: parquet(cast(person=pa.decimal128(25, 2), ref=pa.decimal128(25, 0)))),
    "parquet, small and unsigned": ("parquet", lambda: parquet(cast(person=pa.uint8(), ref=pa.int16()))),
    "parquet, words as dictionaries": ("parquet", lambda: parquet(cast(kind=WORDS, space=WORDS, text=WORDS))),
    "parquet, large strings": ("parquet", lambda: parquet(cast(kind=pa.large_string(), text=pa.large_string()))),
    "parquet, string views": ("parquet", lambda: parquet(cast(kind=pa.string_view(), text=pa.string_view()))),
    "parquet, texts as bytes": ("parquet", lambda: parquet(cast(kind=pa.binary(), text=pa.binary()))),
    "parquet, large lists": ("parquet", lambda: parquet(cast(hashtags=pa.large_list(pa.large_string())))),
    "parquet, a column of nothing": ("parquet", lambda: parquet(cast(lang=pa.null()))),
    "parquet, nested columns": ("parquet", lambda: parquet(nested)),
    "parquet, Spark's names and types": ("parquet", lambda: parquet(flavor="spark", version="1.0")),
    "parquet by DuckDB": ("parquet", lambda: by_duckdb("parquet", "format parquet")),
    "parquet by Polars": ("parquet", by_polars),
}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the hash of the tape that the plain CSV makes."""
    return imported(tmp_path_factory.mktemp("plain"), "csv", csv().encode())


def imported(folder: Path, suffix: str, data: bytes) -> str:
    """Return the hash of the tape that a file makes; all its rows are used or overlap."""
    file = folder / f"night.{suffix}"
    file.write_bytes(data)
    spec = ImportSpec(zone="UTC")
    report = import_tape(ImportRequest(file, folder / "t.parquet", spec), generator="tests")
    account = report.files[0]
    assert account.rows == len(rows()) == account.used + sum(account.left_out.values())
    return report.info.sha256


@pytest.mark.parametrize("dialect", DIALECTS)
def test_one_table_makes_one_tape(dialect: str, tmp_path: Path, expected: str) -> None:
    """Whoever wrote the table, in whatever format and dialect: the tape is the same."""
    suffix, data = DIALECTS[dialect]
    assert imported(tmp_path, suffix, data()) == expected


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (cast(at=pa.date32()), "is no time since 1970"),
        (cast(person=pa.float64()), ""),
        (lambda whole: whole.set_column(1, "person", pa.array([1e17] * whole.num_rows)), "has lost digits"),
        (lambda whole: whole.set_column(1, "person", pa.array([b"\xff"] * whole.num_rows)), "no UTF-8 text"),
        (lambda whole: whole.set_column(0, "at", pa.array([None] * whole.num_rows)), "there is no time"),
        (lambda whole: whole.set_column(0, "at", pa.array([[1]] * whole.num_rows)), "is no time since 1970"),
        (
            lambda whole: whole.set_column(0, "at", pa.array([2**62] * whole.num_rows, pa.timestamp("ms"))),
            "is no time since 1970",
        ),
        (lambda whole: whole.append_column("person", whole.column("person")), "2 columns are called 'person'"),
        (lambda whole: whole.set_column(1, "person", pa.array([Decimal("1.5")] * whole.num_rows)), ""),
    ],
)
def test_a_type_that_does_not_fit_is_refused_in_one_line(
    change: Callable[[pa.Table], pa.Table], text: str, tmp_path: Path
) -> None:
    """Dates, floats beyond exactness, bytes, lists and endless times: read, or one line that names file and column."""
    file = tmp_path / "night.parquet"
    pq.write_table(change(table()), file)
    request = ImportRequest(file, tmp_path / "t.parquet", ImportSpec(zone="UTC"))
    if not text:
        assert import_tape(request, generator="tests").files[0].rows == len(rows())
        return
    with pytest.raises(EventFileError) as error:
        import_tape(request, generator="tests")
    assert text in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "t.parquet").exists()
