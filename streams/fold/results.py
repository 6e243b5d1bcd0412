"""Changed counts as result records: keys and values of all of them at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from streams.contract.results import VERSION, AudienceResult, Counts, ReactionResult, Result, encode, key_of
from streams.contract.topics import PRESENCE
from streams.kernels.jit import COMPILED
from streams.kernels.packed import Packed, packed
from streams.kernels.record import Ints
from streams.kernels.spelling import MOST_DIGITS, Pieces, ResultPieces, ResultRows, encode_results, longest, pieces
from streams.kernels.words import Bytes

_json = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Names:
    """What the numbers in rows of results stand for.

    Args:
        names: The spaces or subjects.
        counts: A name per column of the counts.
        estimates: A name per column of the estimates.
        tags: Names of the counts of hashtags; grows.
    """

    names: Sequence[str]
    counts: Sequence[str]
    estimates: Sequence[str] = ()
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows of results that have changed, and what their numbers stand for."""

    rows: ResultRows
    names: Names

    def __len__(self) -> int:
        return len(self.rows.window)

    def each(self) -> Iterator[tuple[int, str, Counts, Counts]]:
        """Yield window, name, counts and estimates of each row, zeros left out."""
        rows, names = self.rows, self.names
        counts, estimates = _named(rows.counts, names.counts), _named(rows.estimates, names.estimates)
        tags, tag_counts, begins = rows.tags.tolist(), rows.tag_counts.tolist(), rows.tag_begins.tolist()
        for row, (window, name) in enumerate(zip(rows.window.tolist(), rows.name.tolist(), strict=True)):
            for place in range(begins[row], begins[row + 1]):
                counts[row][names.tags[tags[place]]] = tag_counts[place]
            yield window, names.names[name], counts[row], estimates[row]


def _named(table: Ints, names: Sequence[str]) -> list[Counts]:
    found: list[Counts] = [{} for _ in range(len(table))]
    line, column = np.nonzero(table)
    for row, place, value in zip(line.tolist(), column.tolist(), table[line, column].tolist(), strict=True):
        found[row][names[place]] = value
    return found


@dataclass(frozen=True, slots=True)
class EncodedResults:
    """Keys and values of results, ready to be sent."""

    keys: Packed
    values: Packed

    def __len__(self) -> int:
        return len(self.keys)


class ResultEncoder:
    """Writes the results of one partition of an input topic.

    Args:
        topic: Base name of the input topic.
        run: The run.
        engine: The name the results are published under.
        shard: Their shard.
        names: What the numbers in their rows stand for.
    """

    def __init__(self, topic: str, run: str, engine: str, shard: str, names: Names) -> None:
        self._topic, self._run, self._engine, self._shard, self._names = topic, run, engine, shard, names
        self._tags = pieces(())
        named, audience = ("space", True) if topic == PRESENCE else ("subject", False)
        begin = f'{{"v":{VERSION},"run":{_text(run)},"engine":{_text(engine)},"window":'
        estimates = "" if audience else '},"estimates":{'
        self._frame = _pieces([begin, ',"counts":{', estimates, "}}", f"[{_text(run)},{_text(engine)},"])
        self._values = _pieces(f',"{named}":{_text(name)},"shard":{_text(shard)},"version":' for name in names.names)
        self._keys = _pieces(f",{_text(name)},{_text(shard)}]" for name in names.names)
        self._labels = _pieces(f"{_text(name)}:" for name in (*names.counts, *names.estimates))

    def encode(self, changes: Changes, version: int) -> EncodedResults:
        """Return changed rows as records of one version."""
        if COMPILED:
            return self._encode_all(changes.rows, version)
        records = list(self.records(changes, version))
        return EncodedResults(packed([key_of(record) for record in records]), packed([encode(r) for r in records]))

    def records(self, changes: Changes, version: int) -> Iterator[Result]:
        """Yield changed rows as typed records."""
        run, engine, shard = self._run, self._engine, self._shard
        for window, name, counts, estimates in changes.each():
            if self._topic == PRESENCE:
                yield AudienceResult(1, run, engine, window, name, shard, version, counts)
            else:
                yield ReactionResult(1, run, engine, window, name, shard, version, counts, estimates)

    def _encode_all(self, rows: ResultRows, version: int) -> EncodedResults:
        size, spelled = len(rows.window), self._spelled()
        columns = rows.counts.shape[1] + rows.estimates.shape[1]
        key_bytes = len(spelled.frame.bytes) + longest(spelled.keys) + MOST_DIGITS
        value_bytes = len(spelled.frame.bytes) + longest(spelled.names) + 2 * MOST_DIGITS
        value_bytes += columns * (longest(spelled.labels) + MOST_DIGITS + 1)
        tag_bytes = len(rows.tags) * (longest(spelled.tags) + MOST_DIGITS + 1)
        keys, key_ends = np.empty(size * key_bytes, np.uint8), np.zeros(size + 1, np.int64)
        values, value_ends = np.empty(size * value_bytes + tag_bytes, np.uint8), np.zeros(size + 1, np.int64)
        encode_results(rows, spelled, version, keys, key_ends[1:], values, value_ends[1:])
        return EncodedResults(_cut(keys, key_ends), _cut(values, value_ends))

    def _spelled(self) -> ResultPieces:
        if len(self._tags.begins) <= len(self._names.tags):
            self._tags = _pieces(f"{_text(name)}:" for name in self._names.tags)
        return ResultPieces(self._frame, self._values, self._keys, self._labels, self._tags)


def _text(text: str) -> str:
    return _json(text).decode()


def _pieces(texts: Iterator[str] | Sequence[str]) -> Pieces:
    return pieces(text.encode() for text in texts)


def _cut(data: Bytes, ends: Ints) -> Packed:
    return Packed(data[: ends[-1]].tobytes(), ends[:-1], ends[1:])
