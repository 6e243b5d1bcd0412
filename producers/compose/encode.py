"""Rows of a tape as JSON, a block at a time: the bytes of ``streams.contract.events.encode``."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from producers.compose.binarycolumn import bytes_of, offsets_of
from producers.compose.insertion import inserted
from streams.contract.events import VERSION, Presence, PresenceKind, Tweet, TweetKind, encode
from streams.errors import TapeError
from streams.kernels import events
from streams.kernels.events import MOST_ESCAPED, EventPieces, PresenceRows, Texts, TweetRows
from streams.kernels.jit import COMPILED, compiling
from streams.kernels.record import Ints
from streams.kernels.spelling import MOST_DIGITS, longest, pieces

_json = msgspec.json.Encoder().encode
_NEEDED_PRESENCE: Final = ("kind", "space", "client", "try")
_NEEDED_TWEET: Final = ("kind", "lang", "tweet_id", "conversation", "text")
_FRAME: Final = (
    b'{"event_id":', b',"at":', b'","author":', b',"try":', f',"v":{VERSION}'.encode(), b',"since_drop_ms":',
    b',"conversation":"', b'","text":', b',"hashtags":[', b"]", b',"ref":"', b"}",
)  # fmt: skip
"""In the order of the fields of ``EventPieces``."""
_NUMBERS: Final = EventPieces(*range(len(_FRAME)))
_NONE: Final = -1
_SAMPLE: Final = {
    "event_id": 0, "at": 0, "person": 0, "kind": "post", "space": "a", "client": "a", "try": 1, "tweet_id": 1,
    "conversation": 1, "text": "a", "lang": "en", "hashtags": ["a"], "ref": 1, "reason": "a", "since_drop_ms": 0,
}  # fmt: skip
"""A row with what events of both kinds need."""


def encode_presence(rows: pa.RecordBatch) -> pa.BinaryArray:
    """Return the values of presence events.

    Raises:
        TapeError: A row lacks a value its event needs; the text names the event.
    """
    _check(rows, _NEEDED_PRESENCE)
    if not COMPILED:
        return _one_by_one(rows, _presence)
    spelled = _Spelled()
    columns = PresenceRows(
        event_id=_numbers(rows, "event_id"),
        at=_numbers(rows, "at"),
        kind=spelled.column(rows, "kind", ',"listener":'),
        person=_numbers(rows, "person"),
        space=spelled.column(rows, "space"),
        client=spelled.column(rows, "client"),
        tries=_numbers(rows, "try"),
        reason=spelled.column(rows, "reason"),
        since=_numbers(rows, "since_drop_ms"),
    )
    return spelled.written(events.encode_presence, columns, rows.num_rows * spelled.room(numbers=5, words=4))


def encode_tweets(rows: pa.RecordBatch) -> pa.BinaryArray:
    """Return the values of tweets.

    Raises:
        TapeError: A row lacks a value its event needs; the text names the event.
    """
    _check(rows, _NEEDED_TWEET)
    if not COMPILED:
        return _one_by_one(rows, _tweet)
    spelled, tags = _Spelled(), rows.column("hashtags")
    columns = TweetRows(
        event_id=_numbers(rows, "event_id"),
        at=_numbers(rows, "at"),
        kind=spelled.column(rows, "kind", ',"tweet_id":"'),
        tweet_id=_numbers(rows, "tweet_id"),
        person=_numbers(rows, "person"),
        conversation=_numbers(rows, "conversation"),
        text=_texts(rows.column("text")),
        lang=spelled.column(rows, "lang", f',"v":{VERSION}'),
        first_tag=_begins(pc.fill_null(pc.list_value_length(tags), 0).to_numpy(zero_copy_only=False)),
        tags=_texts(tags.flatten()),
        ref=_numbers(rows, "ref"),
    )
    texts = MOST_ESCAPED * (len(columns.text.bytes) + len(columns.tags.bytes)) + 3 * len(columns.tags.begins)
    return spelled.written(events.encode_tweets, columns, rows.num_rows * spelled.room(numbers=6, words=2) + texts)


@functools.cache
def warm() -> None:
    """Have the kernels compiled, or loaded; the first process on a machine compiles, others wait for it."""
    if not COMPILED:
        return
    sample = pa.RecordBatch.from_pylist([_SAMPLE])
    with compiling("producer"):
        for encode_all in (encode_presence, encode_tweets):
            encode_all(sample)
        inserted(digits(sample.column("person").to_numpy()), np.zeros(1, np.int64), pa.array([b"{}"]))


def digits(ids: npt.NDArray[np.int64]) -> pa.BinaryArray:
    """Return ids as ASCII decimal digits: the keys of the input topics."""
    if not COMPILED:
        return pc.cast(pa.array(ids), pa.string()).cast(pa.binary())
    ends, out = np.zeros(len(ids) + 1, np.int32), np.empty(len(ids) * MOST_DIGITS, np.uint8)
    events.encode_numbers(np.ascontiguousarray(ids, dtype=np.int64), out, ends[1:])
    return _binary(ends, out)


class _Spelled:
    """The pieces of text of a block, each spelled once."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = [*_FRAME, b""]
        self._most = 0

    def column(self, rows: pa.RecordBatch, name: str, tail: str = "") -> Ints:
        """Return the number of the piece that names each row's value; that of a null is empty."""
        column = rows.column(name)
        words = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        first = len(self._pieces)
        self._pieces += [f',"{name}":{_json(word).decode()}{tail}'.encode() for word in words.dictionary.to_pylist()]
        codes = words.indices.cast(pa.int64()).fill_null(len(_FRAME) - first)
        numbers: Ints = np.add(codes.to_numpy(zero_copy_only=False), first, dtype=np.int64)
        return numbers

    def room(self, *, numbers: int, words: int) -> int:
        """Return how many bytes an event takes at most, but for its texts."""
        frame = sum(map(len, _FRAME)) + 2
        return frame + numbers * MOST_DIGITS + words * longest(pieces(self._pieces))

    def written(self, kernel: Callable[..., None], columns: Any, room: int) -> pa.BinaryArray:
        """Return what a kernel writes."""
        ends, out = np.zeros(len(columns.at) + 1, np.int32), np.empty(room, np.uint8)
        kernel(columns, pieces(self._pieces), _NUMBERS, out, ends[1:])
        return _binary(ends, out)


def _numbers(rows: pa.RecordBatch, name: str) -> Ints:
    """Return a column of numbers, ``_NONE`` for a null."""
    column = rows.column(name).cast(pa.int64()).fill_null(_NONE)
    return np.ascontiguousarray(column.to_numpy(zero_copy_only=False))


def _binary(ends: npt.NDArray[np.int32], out: npt.NDArray[np.uint8]) -> pa.BinaryArray:
    """Return the values that a kernel wrote; ``out`` gives back what is left of it, without a copy."""
    out.resize(ends[-1], refcheck=False)  # nothing else refers to it: the kernel has returned
    return pa.BinaryArray.from_buffers(pa.binary(), len(ends) - 1, [None, pa.py_buffer(ends), pa.py_buffer(out)])


def _begins(lengths: Ints) -> Ints:
    begins = np.zeros(len(lengths) + 1, np.int64)
    begins[1:] = np.cumsum(lengths)
    return begins


def _texts(column: pa.StringArray) -> Texts:
    lengths = pc.binary_length(column).to_numpy(zero_copy_only=False)
    first, begins = int(offsets_of(column)[0]), _begins(lengths)
    return Texts(bytes_of(column)[first : first + begins[-1]], begins)


def _check(rows: pa.RecordBatch, needed: Sequence[str]) -> None:
    if not any(rows.column(name).null_count for name in needed):
        return
    for row in range(rows.num_rows):
        event = {name: rows.column(name)[row].as_py() for name in ("event_id", "topic", *needed)}
        missing = [name for name in needed if event[name] is None]
        if missing:
            raise TapeError(f"event {event['event_id']} ({event['topic']}) has no value for {', '.join(missing)}")


def _one_by_one(rows: pa.RecordBatch, event: Callable[[dict[str, Any]], Presence | Tweet]) -> pa.BinaryArray:
    """Encode row by row, where no kernels are."""
    return pa.array([encode(event(row)) for row in rows.to_pylist()], pa.binary())


def _presence(row: dict[str, Any]) -> Presence:
    return Presence(
        row["event_id"], row["at"], PresenceKind(row["kind"]), row["person"], row["space"], row["client"],
        row["try"], 1, row["reason"], row["since_drop_ms"],
    )  # fmt: skip


def _tweet(row: dict[str, Any]) -> Tweet:
    return Tweet(
        row["event_id"], row["at"], TweetKind(row["kind"]), str(row["tweet_id"]), row["person"],
        str(row["conversation"]), row["text"], row["lang"], 1, tuple(row["hashtags"] or ()),
        None if row["ref"] is None else str(row["ref"]),
    )  # fmt: skip
