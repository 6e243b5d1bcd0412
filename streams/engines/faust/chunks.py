"""A chunk: neighbouring records of one partition, handed on as one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from streams.kernels.packed import Packed, joined
from streams.kernels.record import Ints


@dataclass(frozen=True, slots=True)
class Chunk:
    """All records of a partition from ``start`` up to ``next_offset``, that one excluded.

    There may be fewer values than offsets: what a reader must not see (control records, aborted transactions) has an
    offset and no value.

    Args:
        start: Offset of the first record it covers.
        next_offset: Offset after the last record it covers.
        values: The records' values; one that is null is empty.
        offsets: The records' offsets, ascending.
    """

    start: int
    next_offset: int
    values: Packed
    offsets: Ints

    def since(self, offset: int) -> "Chunk":
        """Return the part of it from ``offset`` on."""
        if offset <= self.start:
            return self
        first = int(np.searchsorted(self.offsets, offset))
        return Chunk(min(offset, self.next_offset), self.next_offset, self.values[first:], self.offsets[first:])


def merged(chunks: Iterable[Chunk], records: int) -> Iterator[Chunk]:
    """Yield neighbouring chunks joined until they hold ``records`` values: a small one costs as much as a large one."""
    waiting: list[Chunk] = []
    for chunk in chunks:
        if waiting and waiting[-1].next_offset != chunk.start:
            yield _joined(waiting)
            waiting = []
        waiting.append(chunk)
        if sum(len(part.values) for part in waiting) >= records:
            yield _joined(waiting)
            waiting = []
    if waiting:
        yield _joined(waiting)


def _joined(parts: Sequence[Chunk]) -> Chunk:
    if len(parts) == 1:
        return parts[0]
    offsets = np.concatenate([part.offsets for part in parts])
    return Chunk(parts[0].start, parts[-1].next_offset, joined([part.values for part in parts]), offsets)
