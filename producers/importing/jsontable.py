"""Reading JSON, as one array of objects or as one object per line, with no key of an object twice."""

import json
import math
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import polars as pl

from producers.importing.sourcetable import FileLayout, SourceTable
from producers.importing.textfile import read_text
from streams.errors import EventFileError

_CHUNK: Final = 50_000
"""Lines held as Python objects at a time."""
_EXACT: Final = 1 << 53
"""Beyond this a floating-point number stands for several whole numbers."""
_ABSENT: Final = object()


def read_jsonl(path: Path, wanted: Sequence[str], layout: FileLayout) -> SourceTable:
    """Return the wanted values of a JSONL file; a key that a line does not have is a value that is not there.

    A name with dots that is no key itself leads into nested objects: ``author.name``.

    Raises:
        EventFileError: A line is no JSON object, or has a key twice; the text names the line.
    """
    source = read_text(path, layout.encoding)
    lines = iter(source.text.split("\n"))
    outside = sum(1 for _ in islice(lines, layout.skip_lines))
    parts = [pl.DataFrame(schema=dict.fromkeys(wanted, pl.String))]
    names: dict[str, None] = {}
    done = outside
    while chunk := list(islice(lines, _CHUNK)):
        rows = [_object(path, done + place, line) for place, line in enumerate(chunk, 1) if line.strip()]
        done += len(chunk)
        names.update(dict.fromkeys(key for row in rows for key in row))
        parts.append(_frame(path, rows, wanted, names))
    frame = pl.concat(parts)
    if not frame.height:
        raise EventFileError(f"{path}: there are no rows in it")
    unended = source.text[-1] != "\n"
    counts = {"table": frame.height, "blank": done - outside - frame.height - (not unended), "outside": outside}
    if sum(counts.values()) != source.text.count("\n") + unended:
        raise EventFileError(f"{path}: it has {source.text.count(chr(10)) + unended} lines, but {counts} were read")
    there = [name for name in wanted if name in names]
    return SourceTable(frame.select(there), tuple(names), frame.height, source.encoding, counts)


def read_json(path: Path, wanted: Sequence[str], layout: FileLayout) -> SourceTable:
    """Return the wanted values of a JSON file: an array of objects, at the top or inside of an object.

    Inside of an object it is the only such array, or the one that ``layout.section`` leads to: ``data.messages``. A
    file of one object per line, which some programs call JSON, too, is read as JSONL. Names with dots as in JSONL.

    Raises:
        EventFileError: The file is no such JSON, or has a key twice; the text names the row.
    """
    source = read_text(path, layout.encoding)
    try:
        document = _decoder.decode(source.text.strip())
    except _TwiceError as error:
        raise EventFileError(f"{path}: the key {str(error)!r} stands twice in one object") from None
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and error.doc[: error.pos].strip().count("\n") == 0:
            return read_jsonl(path, wanted, layout)
        raise EventFileError(f"{path}, line {error.lineno}: no JSON: {error.msg}") from None
    except RecursionError as error:
        raise EventFileError(f"{path}: no JSON: {error}") from None
    if layout.skip_lines:
        raise EventFileError(f"{path}: a file of JSON is read whole, so --skip-lines has no meaning")
    rows = _array(path, document, layout.section)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise EventFileError(f"{path}, row {number}: no JSON object, but {json_text(row)!r}")
    names = dict.fromkeys(key for row in rows for key in row)
    frame = _frame(path, rows, wanted, names)
    return SourceTable(
        frame.select([name for name in wanted if name in names]), tuple(names), len(rows), source.encoding
    )


def _array(path: Path, document: Any, section: str | None) -> list[Any]:
    """Return the array whose items are the rows."""
    found = document if section is None else _nested(document, section.split("."))
    if isinstance(found, list):
        return found
    arrays = _arrays(document)
    there = f"; arrays of objects in it: {', '.join(arrays) or 'none'}"
    if section is not None:
        raise EventFileError(f"{path}: no array stands under {section!r} (--section){there}")
    if isinstance(document, dict) and len(arrays) == 1:
        return next(iter(arrays.values()))
    if isinstance(document, dict) and not arrays:
        return [document]
    raise EventFileError(f"{path}: expected one array of objects{there}; choose one with --section")


def _arrays(value: Any, name: str = "") -> dict[str, list[Any]]:
    """Return the arrays of objects below an object, by the dotted names that lead to them, not those inside arrays."""
    found: dict[str, list[Any]] = {}
    for key, inner in value.items() if isinstance(value, dict) else ():
        if isinstance(inner, list) and inner and all(isinstance(item, dict) for item in inner):
            found[name + key] = inner
        found.update(_arrays(inner, f"{name}{key}."))
    return found


def float_text(value: float) -> str | None:
    """Return a floating-point number as text, whole ones as ``10.0``; None for NaN.

    One too large to be exact has an exponent, which no id and no time may have.
    """
    if math.isnan(value):
        return None
    if abs(value) < _EXACT:
        return f"{int(value)}.0" if value.is_integer() else repr(value)
    return f"{value:.16e}"


def json_text(value: Any) -> str | None:
    """Return a JSON value as the text it stands for; lists and objects as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


class _TwiceError(ValueError):
    """A key stands twice in one object."""


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        found = _decoder.decode(line.strip())
    except _TwiceError as error:
        raise EventFileError(f"{path}, line {number}: the key {str(error)!r} stands twice in one object") from None
    except (ValueError, RecursionError) as error:
        raise EventFileError(f"{path}, line {number}: no JSON object: {error}") from None
    if not isinstance(found, dict):
        whole = "; a file that is one array has a name that ends in .json" if isinstance(found, list) else ""
        raise EventFileError(f"{path}, line {number}: no JSON object, but {json_text(found)!r}{whole}")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for name in names if names.count(name) > 1))
    return found


_decoder = json.JSONDecoder(
    object_pairs_hook=_once,
    parse_float=lambda text: float_text(float(text)),
    parse_constant=lambda word: None if word == "NaN" else word,
)


def _frame(path: Path, rows: list[dict[str, Any]], wanted: Sequence[str], names: dict[str, None]) -> pl.DataFrame:
    columns: dict[str, list[str | None]] = {}
    for name in wanted:
        if "." in name and name not in names:
            found = [_nested(row, name.split(".")) for row in rows]
            if any(value is not _ABSENT for value in found):
                names[name] = None
            columns[name] = [None if value is _ABSENT else json_text(value) for value in found]
        else:
            columns[name] = [json_text(row.get(name)) for row in rows]
    try:
        return pl.DataFrame(columns, schema=dict.fromkeys(wanted, pl.String))
    except UnicodeEncodeError:
        raise EventFileError(f"{path}: half of a surrogate pair (\\ud800 …) is in it, which is no text") from None


def _nested(row: Any, steps: Sequence[str]) -> Any:
    value: Any = row
    for step in steps:
        if not isinstance(value, dict) or step not in value:
            return _ABSENT
        value = value[step]
    return value
