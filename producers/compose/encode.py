"""Rows of a tape as JSON, a block at a time: the same bytes as ``streams.contract.events.encode``, columnar.

The bytes are equal because readers decode fields in a known order faster.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from streams.contract.events import VERSION
from streams.errors import TapeError

_json = msgspec.json.Encoder().encode
_NEEDS_ESCAPE = r'["\\\x00-\x1f]'
_NOTHING = pa.scalar("")


def encode_presence(rows: pa.RecordBatch) -> pa.BinaryArray:
    """Return the values of presence events.

    Raises:
        TapeError: A row lacks a value that its event needs; the text names the event.
    """
    kind = _combined(rows, ("kind",), (), ',"listener":')
    fields = _combined(rows, ("space", "client", "try", "v"), ("reason",), "")
    since = _optional(',"since_drop_ms":', _digits(rows.column("since_drop_ms")))
    pieces = [*_head(rows), kind, _digits(rows.column("person")), fields, since, pa.scalar("}")]
    return _joined(rows, pieces, ("kind", "space", "client", "try"))


def encode_tweets(rows: pa.RecordBatch) -> pa.BinaryArray:
    """Return the values of tweets.

    Raises:
        TapeError: A row lacks a value that its event needs; the text names the event.
    """
    pieces = [*_head(rows), _combined(rows, ("kind",), (), ',"tweet_id":"'), _digits(rows.column("tweet_id"))]
    pieces += [pa.scalar('","author":'), _digits(rows.column("person"))]
    pieces += [pa.scalar(',"conversation":"'), _digits(rows.column("conversation"))]
    pieces += [pa.scalar('","text":"'), escaped(rows.column("text")), pa.scalar('"')]
    pieces += [_combined(rows, ("lang", "v"), (), ""), _tags(rows.column("hashtags"))]
    pieces += [_optional(',"ref":"', _digits(rows.column("ref")), '"'), pa.scalar("}")]
    return _joined(rows, pieces, ("kind", "lang", "tweet_id", "conversation", "text"))


def digits(ids: npt.NDArray[np.int64]) -> pa.BinaryArray:
    """Return ids as ASCII decimal digits: the keys of the input topics."""
    return _digits(pa.array(ids)).cast(pa.binary())


def escaped(texts: pa.StringArray) -> pa.StringArray:
    """Return texts escaped for the inside of a JSON string."""
    special = pc.match_substring_regex(texts, _NEEDS_ESCAPE)
    if not pc.any(special).as_py():
        return texts
    repaired = [_json(text)[1:-1].decode() for text in texts.filter(special).to_pylist()]
    return pc.replace_with_mask(texts, pc.fill_null(special, fill_value=False), pa.array(repaired, pa.string()))


def _head(rows: pa.RecordBatch) -> list[Any]:
    return [
        pa.scalar('{"event_id":'), _digits(rows.column("event_id")),
        pa.scalar(',"at":'), _digits(rows.column("at")),
    ]  # fmt: skip


def _joined(rows: pa.RecordBatch, pieces: Sequence[Any], needed: Sequence[str]) -> pa.BinaryArray:
    values = pc.binary_join_element_wise(*pieces, _NOTHING)
    if values.null_count:
        row = values.is_null().to_pylist().index(True)
        event = {name: rows.column(name)[row].as_py() for name in ("event_id", "topic", *needed)}
        missing = [name for name in needed if event[name] is None]
        raise TapeError(f"event {event['event_id']} ({event['topic']}) has no value for {', '.join(missing)}")
    return values.cast(pa.binary())


def _digits(column: pa.Array) -> pa.StringArray:
    return pc.cast(column, pa.string())


def _optional(name: str, values: pa.StringArray, closing: str = "") -> pa.StringArray:
    """Return the field for every value, and an empty text for every null."""
    return pc.binary_join_element_wise(pa.scalar(name), values, pa.scalar(closing), _NOTHING).fill_null("")


def _combined(rows: pa.RecordBatch, needed: Sequence[str], optional: Sequence[str], tail: str) -> pa.StringArray:
    """Return several fields with few values as one piece per row; each combination is spelled once, then looked up."""
    names = (*needed, *optional)
    codes = np.zeros(rows.num_rows, dtype=np.int64)
    columns: list[list[Any]] = []
    for name in names:
        values, indices = ([VERSION], 0) if name == "v" else _indexed(rows.column(name))
        codes = codes * (len(values) + 1) + indices
        columns.append([*values, None])
    combinations = pa.array(codes).dictionary_encode()
    pieces = [_spell(code, columns, names, len(needed)) for code in combinations.dictionary.to_pylist()]
    spelled = pa.array([None if piece is None else piece + tail for piece in pieces], pa.string())
    return spelled.take(combinations.indices)


def _indexed(column: pa.Array) -> tuple[list[Any], npt.NDArray[np.int64]]:
    """Return a column's distinct values and the index of each row's among them; that of a null is past the last."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    values = encoded.dictionary.to_pylist()
    places = encoded.indices.cast(pa.int64()).fill_null(len(values)).to_numpy(zero_copy_only=False)
    return values, places


def _spell(code: int, columns: list[list[Any]], names: Sequence[str], needed: int) -> str | None:
    values: list[Any] = []
    for column in reversed(columns):
        code, place = divmod(code, len(column))
        values.insert(0, column[place])
    if None in values[:needed]:
        return None
    given = [(name, value) for name, value in zip(names, values, strict=True) if value is not None]
    return "".join(f',"{name}":{_json(value).decode()}' for name, value in given)


def _tags(column: pa.ListArray) -> pa.StringArray:
    """Return the field of the hashtags, an empty text for a tweet without any."""
    quoted = pc.binary_join_element_wise(pa.scalar('"'), escaped(column.flatten()), pa.scalar('"'), _NOTHING)
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate(([0], np.cumsum(lengths))).astype(np.int32))
    listed = pc.binary_join(pa.ListArray.from_arrays(offsets, quoted), ",")
    field = pc.binary_join_element_wise(pa.scalar(',"hashtags":['), listed, pa.scalar("]"), _NOTHING)
    return pc.if_else(pa.array(lengths > 0), field, _NOTHING)
