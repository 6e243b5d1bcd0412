"""A tape's events as CSV, JSONL or Parquet for other tools, with settings by which they can be imported again."""

from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, Literal, TypeAlias, get_args

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from producers.tape.tapefile import Tape
from producers.tape.tapeformat import SCHEMA, TapeInfo
from streams.errors import TapeError, reason
from streams.system.wholefile import whole_file

EventFormat: TypeAlias = Literal["csv", "jsonl", "parquet"]
FORMATS: Final[tuple[EventFormat, ...]] = get_args(EventFormat)
_PLAIN: Final = pa.schema([pa.field(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type) for f in SCHEMA])
"""The tape's columns without dictionaries."""
_encode = msgspec.json.Encoder().encode


def write_events(tape: Tape, path: Path, form: EventFormat) -> None:
    """Write every event, one row each in the tape's columns and order.

    CSV has lists as JSON, and no value where a column does not apply; JSONL leaves such keys out.

    Raises:
        TapeError: The tape cannot be read, or the file cannot be written.
    """
    try:
        with whole_file(path) as part:
            if form == "parquet":
                _write_parquet(tape, part)
            else:
                _write_lines(tape, part, form)
    except OSError as error:
        raise TapeError(f"{path}: cannot be written: {reason(error)}") from None


def format_named(path: Path) -> EventFormat | None:
    """Return the format a file name stands for, None for another name."""
    for form in FORMATS:
        if path.suffix.lower() == f".{form}":
            return form
    return None


def settings(info: TapeInfo) -> str:
    """Return what the events do not show of the night, as the YAML that an import takes."""
    values: dict[str, Any] = {
        "name": info.name,
        "zone": info.zone,
        "allow_long": True,
        "start": _time(info.start),
        "end": _time(info.end),
        "talk_start": _time(info.talk_start),
        "phases": [
            {"name": phase.name, "start": _time(phase.start), **({"quiet": True} if phase.quiet else {})}
            for phase in info.phases
        ],
        "spaces": list(info.spaces),
        "thread": info.thread,
        "announced": None if info.announced is None else _time(info.announced),
        "subjects": msgspec.to_builtins(info.subjects),
    }
    shown = {name: value for name, value in values.items() if value not in (None, "", [], ())}
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True)


def _write_parquet(tape: Tape, path: Path) -> None:
    with pq.ParquetWriter(path, _PLAIN, compression="zstd") as file:
        for block in tape.blocks():
            file.write_batch(
                pa.RecordBatch.from_arrays(
                    [c.cast(f.type) for c, f in zip(block.columns, _PLAIN, strict=True)], schema=_PLAIN
                )
            )


def _write_lines(tape: Tape, path: Path, form: EventFormat) -> None:
    with path.open("wb") as file:
        for number, block in enumerate(tape.blocks()):
            frame = pl.DataFrame(pl.from_arrow(block)).with_columns(pl.col(pl.Categorical).cast(pl.String))
            if form == "csv":
                _csv(frame, file, header=not number)
            else:
                _jsonl(frame, file)


def _csv(frame: pl.DataFrame, file: IO[bytes], *, header: bool) -> None:
    lists = [None if tags is None else _encode(tags).decode() for tags in frame["hashtags"].to_list()]
    frame.with_columns(pl.Series("hashtags", lists, dtype=pl.String)).write_csv(file, include_header=header)


def _jsonl(frame: pl.DataFrame, file: IO[bytes]) -> None:
    rows = ({name: value for name, value in row.items() if value is not None} for row in frame.iter_rows(named=True))
    file.writelines(_encode(row) + b"\n" for row in rows)


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
