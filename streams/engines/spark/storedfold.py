"""The simple fold over a store of chunks: a micro-batch loads the chunks it needs and saves them again.

Spark's state store is reached through a socket, at some 0.2 ms for each access. One entry for each person and event
would cost more than all the rest; one entry for the whole state would grow with the night. A chunk holds neighbours: of
people and event ids by number, of rows by window.
"""

from collections.abc import Callable, Hashable
from typing import Any, Final, Protocol, TypeVar

import msgspec

from streams.contract.results import Counts, Progress, Result
from streams.contract.runinfo import RunInfo
from streams.engines.shared.simplefold import PartitionFold, Person, Row

PEOPLE_PER_CHUNK: Final = 1024
IDS_PER_CHUNK: Final = 8192
HEAD: Final = "head"
_HEAD: Final = ("next_offset", "watermark", "ended", "events", "duplicates", "dead_letters")

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Chunks(Protocol):
    """A store of bytes by kind and number."""

    def get(self, kind: str, number: int) -> bytes | None:
        """Return the bytes; None if there are none."""

    def put(self, kind: str, number: int, value: bytes) -> None:
        """Keep the bytes."""


class LazyDict(dict[K, V]):
    """A dict whose entries are loaded, a chunk at a time, when ``setdefault`` first asks for one of them.

    Args:
        store: Where the chunks are.
        kind: Their kind.
        chunk_of: The number of a key's chunk.
        entries: The type of a chunk, for decoding.
    """

    def __init__(self, store: Chunks, kind: str, chunk_of: Callable[[K], int], entries: Any) -> None:
        super().__init__()
        self._store, self._kind, self._chunk_of = store, kind, chunk_of
        self._decode = msgspec.msgpack.Decoder(entries).decode
        self._loaded: set[int] = set()

    def setdefault(self, key: K, default: V) -> V:
        """Return the entry, which is the default if there was none."""
        number = self._chunk_of(key)
        if number not in self._loaded:
            self._loaded.add(number)
            raw = self._store.get(self._kind, number)
            if raw is not None:
                self.update(self._decode(raw))
        return super().setdefault(key, default)

    def save(self) -> None:
        """Save every loaded chunk."""
        chunks: dict[int, list[tuple[K, V]]] = {number: [] for number in self._loaded}
        for entry in self.items():
            chunks[self._chunk_of(entry[0])].append(entry)
        for number, entries in chunks.items():
            self._store.put(self._kind, number, msgspec.msgpack.encode(entries))


class LazyIds(set[int]):
    """A set of event ids, loaded a chunk at a time when ``in`` first asks for one of them; saved like ``LazyDict``."""

    def __init__(self, store: Chunks, kind: str) -> None:
        super().__init__()
        self._store, self._kind = store, kind
        self._loaded: set[int] = set()

    def __contains__(self, event_id: object) -> bool:
        """Whether the event was counted."""
        number = event_id // IDS_PER_CHUNK  # type: ignore[operator]  # ids alone are asked for
        if number not in self._loaded:
            self._loaded.add(number)
            raw = self._store.get(self._kind, number)
            if raw is not None:
                self.update(msgspec.msgpack.decode(raw, type=list[int]))
        return super().__contains__(event_id)

    def save(self) -> None:
        """Save every loaded chunk."""
        chunks: dict[int, list[int]] = {number: [] for number in self._loaded}
        for event_id in self:
            chunks[event_id // IDS_PER_CHUNK].append(event_id)
        for number, ids in chunks.items():
            self._store.put(self._kind, number, msgspec.msgpack.encode(ids))


class StoredFold(PartitionFold):
    """A ``PartitionFold`` for one micro-batch, with its state in a store.

    Args:
        info: The run.
        engine: The engine name in result keys.
        topic: The input topic, by base name.
        partition: Its partition.
        store: The partition's own chunks.
    """

    people: "LazyDict[int, Person]"
    rows: "LazyDict[Row, Counts]"
    seen: LazyIds

    def __init__(self, info: RunInfo, engine: str, topic: str, partition: int, store: Chunks) -> None:
        super().__init__(info, engine, topic, partition)
        self._store = store
        self.people = LazyDict(store, "people", _chunk_of_person, list[tuple[int, Person]])
        self.rows = LazyDict(store, "rows", _chunk_of_row, list[tuple[Row, Counts]])
        self.seen = LazyIds(store, "ids")
        head = store.get(HEAD, 0)
        for name, value in (msgspec.msgpack.decode(head) if head else {}).items():
            setattr(self, name, value)
        self.taken_offset = self.next_offset

    def finish(self) -> list[Result | Progress]:
        """Save the state, and return every row changed by this micro-batch, then the progress."""
        out = self.take()
        for part in (self.people, self.rows, self.seen):
            part.save()
        self._store.put(HEAD, 0, msgspec.msgpack.encode({name: getattr(self, name) for name in _HEAD}))
        return out


def _chunk_of_person(person: int) -> int:
    return person // PEOPLE_PER_CHUNK


def _chunk_of_row(row: Row) -> int:
    return row[1]
