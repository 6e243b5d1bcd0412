"""Tapes: written whole or not at all, read by row and by event time, and any change to one is found."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from producers.tape.tapefile import Tape, TapeWriter
from producers.tape.tapeformat import BLOCK_ROWS, METADATA_KEY, SCHEMA, TapeInfo
from streams.contract.runinfo import Phase
from streams.errors import TapeError
from tests.fulldisk import room_for

INFO = TapeInfo(
    format=1,
    name="made-up",
    scenario={"b": 1.5, "a": [1, 2]},
    seed=1,
    scale=1.0,
    events=0,
    people=10,
    start=0,
    end=10_000_000,
    talk_start=5_000,
    phases=(Phase("open", 0),),
    spaces=("first",),
    thread="",
    announced=None,
    subjects=(),
    sha256="",
    generator="1",
)


def rows(at: list[int], **changed: list[Any]) -> pa.Table:
    """Return presence rows with a tweet as every third one."""
    n = len(at)
    tweet = [row % 3 == 2 for row in range(n)]

    def on_tweets(value: Any) -> list[Any]:
        return [value if is_tweet else None for is_tweet in tweet]

    columns: dict[str, list[Any]] = {
        "at": at,
        "topic": ["tweets" if is_tweet else "space.presence" for is_tweet in tweet],
        "kind": ["post" if is_tweet else "join" for is_tweet in tweet],
        "person": list(range(n)),
        "space": [None if is_tweet else "first" for is_tweet in tweet],
        "text": [f"tweet äöü {row}" if is_tweet else None for row, is_tweet in enumerate(tweet)],
        "hashtags": on_tweets(["one", "two"]),
        "label_effect": on_tweets(True),
        **changed,
    }
    fields = [field for field in SCHEMA if field.name != "event_id"]
    arrays = []
    for field in fields:
        values = columns.get(field.name, [None] * n)
        dictionary = pa.types.is_dictionary(field.type)
        plain = pa.array(values, field.type.value_type if dictionary else field.type)
        arrays.append(plain.dictionary_encode().cast(field.type) if dictionary else plain)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def write(path: Path, *parts: pa.Table, info: TapeInfo = INFO) -> TapeInfo:
    """Write a tape of these parts."""
    with TapeWriter(path) as writer:
        for part in parts:
            writer.append(part)
        return writer.finish(info)


def test_rows_come_back_as_written(tmp_path: Path) -> None:
    """What was appended in parts is read back as one run of rows, numbered from zero."""
    path = tmp_path / "a.tape"
    written = write(path, rows([1, 2, 3]), rows([3, 5]))
    tape = Tape.open(path)
    (batch,) = tape.blocks()
    assert tape.info == written
    assert tape.rows == written.events == 5
    assert batch.schema.equals(SCHEMA)
    assert batch.column("event_id").to_pylist() == [0, 1, 2, 3, 4]
    assert batch.drop_columns(["event_id"]).to_pylist() == [*rows([1, 2, 3]).to_pylist(), *rows([3, 5]).to_pylist()]


def test_blocks_have_their_size(tmp_path: Path) -> None:
    """Every block but the last holds BLOCK_ROWS rows, however the rows were appended."""
    path = tmp_path / "a.tape"
    at = list(range(BLOCK_ROWS + 10))
    write(path, rows(at[:30]), rows(at[30:]))
    assert [batch.num_rows for batch in Tape.open(path).blocks()] == [BLOCK_ROWS, 10]


def test_reading_starts_at_any_row(tmp_path: Path) -> None:
    """Reading from a row gives that row first, also across and at the end of blocks."""
    path = tmp_path / "a.tape"
    write(path, rows(list(range(BLOCK_ROWS + 10))))
    tape = Tape.open(path)
    for start in (0, 5, BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 9):
        batches = list(tape.blocks(start))
        assert batches[0].column("event_id")[0].as_py() == start
        assert sum(batch.num_rows for batch in batches) == tape.rows - start
    assert sum(batch.num_rows for batch in tape.blocks(tape.rows)) == 0


def test_row_at_finds_the_first_row_of_a_time(tmp_path: Path) -> None:
    """An event time leads to the first row at or after it, past the end to the number of rows."""
    path = tmp_path / "a.tape"
    at = [2 * (row // 4) for row in range(BLOCK_ROWS + 100)]
    write(path, rows(at))
    tape = Tape.open(path)
    for time in (0, 1, 2, at[BLOCK_ROWS] - 1, at[BLOCK_ROWS], at[-1], at[-1] + 1):
        assert tape.row_at(time) == int(np.searchsorted(np.array(at), time))


def test_hash_does_not_depend_on_representation(tmp_path: Path) -> None:
    """Other parts, another order of dictionary values and another generator give the same hash."""
    first = write(tmp_path / "a.tape", rows([1, 2, 3]), rows([4, 5, 6]))
    whole = pa.concat_tables([rows([1, 2, 3]), rows([4, 5, 6])])
    kind = pa.DictionaryArray.from_arrays(pa.array([2, 2, 0] * 2, pa.int8()), ["post", "unused", "join"])
    reordered = whole.set_column(whole.column_names.index("kind"), "kind", kind)
    second = write(tmp_path / "b.tape", reordered, info=msgspec.structs.replace(INFO, generator="2"))
    assert first.sha256 == second.sha256


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": ["join", "leave", "post"]},
        {"text": [None, None, "tweet äöü 3"]},
        {"text": ["", None, "tweet äöü 2"]},
        {"hashtags": [None, None, ["on", "etwo"]]},
        {"label_effect": [None, None, False]},
        {"person": [0, 1, 3]},
        {"since_drop_ms": [None, 0, None]},
    ],
)
def test_hash_depends_on_every_value(tmp_path: Path, changed: dict[str, list[Any]]) -> None:
    """A single other value, or a null in place of nothing, gives another hash."""
    plain = write(tmp_path / "a.tape", rows([1, 2, 3]))
    assert write(tmp_path / "b.tape", rows([1, 2, 3], **changed)).sha256 != plain.sha256


def test_hash_depends_on_what_the_tape_says_of_itself(tmp_path: Path) -> None:
    """The same events under another seed give another hash."""
    plain = write(tmp_path / "a.tape", rows([1, 2, 3]))
    assert write(tmp_path / "b.tape", rows([1, 2, 3]), info=msgspec.structs.replace(INFO, seed=2)) != plain


def test_verify_accepts_what_was_written(tmp_path: Path) -> None:
    """An untouched tape verifies, with progress."""
    write(tmp_path / "a.tape", rows(list(range(BLOCK_ROWS + 10))))
    seen: list[int] = []
    Tape.open(tmp_path / "a.tape").verify(seen.append)
    assert seen == [BLOCK_ROWS, BLOCK_ROWS + 10]


def test_verify_finds_an_altered_event(tmp_path: Path) -> None:
    """A tape with one event altered afterwards is refused, with both hashes."""
    path = tmp_path / "a.tape"
    written = write(path, rows([1, 2, 3]))
    table = pq.read_table(path)
    altered = table.set_column(4, SCHEMA.field("person"), pa.array([0, 1, 7]))
    metadata = {METADATA_KEY: msgspec.json.encode(written)}
    pq.write_table(altered.replace_schema_metadata(metadata), path)
    with pytest.raises(TapeError, match=rf"altered: content hash expected {written.sha256}, found [0-9a-f]{{64}}"):
        Tape.open(path).verify()


def test_verify_finds_damaged_bytes(tmp_path: Path) -> None:
    """Bytes overwritten in the middle of the file do not go unnoticed."""
    path = tmp_path / "a.tape"
    write(path, rows(list(range(1000))))
    data = bytearray(path.read_bytes())
    data[200:260] = b"\xff" * 60
    path.write_bytes(data)
    with pytest.raises(TapeError, match=r"a\.tape"):
        Tape.open(path).verify()


def test_missing_tape(tmp_path: Path) -> None:
    """A path without a file is a clear error."""
    with pytest.raises(TapeError, match="there is no such tape"):
        Tape.open(tmp_path / "none.tape")


def test_cut_off_tape(tmp_path: Path) -> None:
    """A tape that lost its end is refused."""
    path = tmp_path / "a.tape"
    write(path, rows(list(range(1000))))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(TapeError, match="not a tape, or cut off"):
        Tape.open(path)


def test_tape_with_rows_missing(tmp_path: Path) -> None:
    """A tape with fewer events than its metadata is refused on opening."""
    path = tmp_path / "a.tape"
    written = write(path, rows([1, 2, 3]))
    table = pq.read_table(path).slice(0, 2)
    pq.write_table(table.replace_schema_metadata({METADATA_KEY: msgspec.json.encode(written)}), path)
    with pytest.raises(TapeError, match="cut off: 2 events where 3 were recorded"):
        Tape.open(path)


def test_parquet_that_is_no_tape(tmp_path: Path) -> None:
    """Any other Parquet file is refused."""
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"at": [1]}), path)
    with pytest.raises(TapeError, match="a Parquet file, but not a tape"):
        Tape.open(path)


def test_tape_of_another_format(tmp_path: Path) -> None:
    """A tape of a later format is refused with the format this version reads."""
    path = tmp_path / "a.tape"
    later = msgspec.to_builtins(INFO) | {"format": 2}
    table = pa.table({"at": [1]}).replace_schema_metadata({METADATA_KEY: msgspec.json.encode(later)})
    pq.write_table(table, path)
    with pytest.raises(TapeError, match=r"not a tape of format 1: .*format"):
        Tape.open(path)


def test_unfinished_tape_leaves_nothing(tmp_path: Path) -> None:
    """When writing stops half-way there is no tape and no hidden file either."""

    def stop_half_way() -> None:
        with TapeWriter(tmp_path / "a.tape") as writer:
            writer.append(rows([1, 2, 3]))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_half_way()
    assert list(tmp_path.iterdir()) == []


def test_times_that_run_backwards(tmp_path: Path) -> None:
    """Events out of time order are refused, within a part and between two."""
    with pytest.raises(TapeError, match="event 2 at 1 comes after a later one"):
        write(tmp_path / "a.tape", rows([1, 2, 1]))
    with pytest.raises(TapeError, match="event 2 at 1 comes after a later one"):
        write(tmp_path / "a.tape", rows([1, 2]), rows([1]))


def test_events_outside_the_night(tmp_path: Path) -> None:
    """Events before the start or after the end that the tape declares are refused."""
    with pytest.raises(TapeError, match="outside the night"):
        write(tmp_path / "a.tape", rows([INFO.end + 1]))


def test_missing_column_and_missing_value(tmp_path: Path) -> None:
    """A column that is not there, or a null where every event has a value, is named."""
    with pytest.raises(TapeError, match="column 'person' is missing"):
        write(tmp_path / "a.tape", rows([1]).drop_columns(["person"]))
    with pytest.raises(TapeError, match="column 'kind' has rows without a value"):
        write(tmp_path / "a.tape", rows([1], kind=[None]))


def test_place_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder that is missing, a file in its place, or a folder in place of the tape: path and reason are named."""
    (tmp_path / "file").write_text("")
    with pytest.raises(TapeError, match=r"none/a\.tape: cannot be written: No such file or directory$"):
        write(tmp_path / "none" / "a.tape", rows([1]))
    with pytest.raises(TapeError, match=r"file/a\.tape: cannot be written: Not a directory$"):
        write(tmp_path / "file" / "a.tape", rows([1]))
    with pytest.raises(TapeError, match=rf"{tmp_path}: cannot be written: Is a directory$"):
        write(tmp_path, rows([1]))


@pytest.mark.parametrize("size", [1_000, 40_000])
def test_full_disk(tmp_path: Path, size: int) -> None:
    """A disk that is full at the end or in the middle: path and reason are named, and the half-written file goes."""
    many = rows(list(range(2 * BLOCK_ROWS)))
    with pytest.raises(TapeError, match=r"a\.tape: cannot be written: File too large$"), room_for(size):
        write(tmp_path / "a.tape", many)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_tape(tmp_path: Path) -> None:
    """A folder in place of a tape is named, with the reason."""
    with pytest.raises(TapeError, match=rf"{tmp_path}: cannot be read: Is a directory"):
        Tape.open(tmp_path)


def test_tape_without_events(tmp_path: Path) -> None:
    """A night without events is a tape like any other."""
    write(tmp_path / "a.tape")
    tape = Tape.open(tmp_path / "a.tape")
    tape.verify()
    assert (tape.rows, tape.row_at(0), list(tape.blocks())) == (0, 0, [])


def test_a_tape_of_many_rooms_is_read_and_verified(tmp_path: Path) -> None:
    """More rooms than a byte can number, in one block: each event keeps its own, and the hash covers it."""
    rooms = [f"room-{number:03}" for number in range(300)]
    path = tmp_path / "tape.parquet"
    first = write(path, rows([1] * 300, space=rooms))
    other = write(tmp_path / "other.parquet", rows([1] * 300, space=[*rooms[:44], *rooms[256:], *rooms[44:256]]))
    assert first.sha256 != other.sha256
    tape = Tape.open(path)
    assert [room for batch in tape.blocks() for room in batch.column("space").to_pylist()] == rooms
    tape.verify()
