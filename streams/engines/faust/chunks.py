"""A chunk: neighbouring records of one partition, as one thing to be handed on."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from streams.fold.packed import Packed


@dataclass(slots=True)
class Chunk:
    """All records of a partition from ``start`` up to ``next_offset``, that one excluded.

    There may be fewer values than offsets: what a reader must not see (control records, aborted transactions) has an
    offset and no value.

    Args:
        start: Offset of the first record it covers.
        next_offset: Offset after the last record it covers.
        values: The records' values.
        offsets: Runs of offsets that belong to the values, in order.
    """

    start: int
    next_offset: int
    values: Sequence[bytes | None]
    offsets: list[Sequence[int]]

    def offset_of(self, row: int) -> int:
        """Return the offset of the value with number ``row``."""
        for run in self.offsets:
            if row < len(run):
                return run[row]
            row -= len(run)
        raise IndexError(row)

    def since(self, offset: int) -> "Chunk":
        """Return the part of it from ``offset`` on."""
        if offset <= self.start:
            return self
        kept = [(at, value) for at, value in zip(self._each_offset(), self.values, strict=True) if at >= offset]
        values = [value for _, value in kept]
        return Chunk(min(offset, self.next_offset), self.next_offset, values, [[at for at, _ in kept]])

    def _each_offset(self) -> Iterator[int]:
        for run in self.offsets:
            yield from run


def merged(chunks: Iterable[Chunk], records: int) -> Iterator[Chunk]:
    """Yield neighbouring chunks joined until they hold ``records`` values: a small one costs as much as a large one."""
    growing: Chunk | None = None
    for chunk in chunks:
        if growing is None or growing.next_offset != chunk.start:
            if growing is not None:
                yield growing
            growing = chunk
        else:
            values, offsets = _joined(growing.values, chunk.values), [*growing.offsets, *chunk.offsets]
            growing = Chunk(growing.start, chunk.next_offset, values, offsets)
        if len(growing.values) >= records:
            yield growing
            growing = None
    if growing is not None:
        yield growing


def _joined(one: Sequence[bytes | None], other: Sequence[bytes | None]) -> Sequence[bytes | None]:
    if isinstance(one, Packed) and isinstance(other, Packed) and one.data is other.data:
        return one + other
    return [*one, *other]
