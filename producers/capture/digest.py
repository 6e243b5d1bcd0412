"""The digest of topics: of the records of each partition in their order, however they came."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa

from producers.capture.columns import Records, batch_of, pieces

_OUTSIDE = frozenset({"offset", "timestamp_type"})
"""A replay cannot keep these: offsets that a topic leaves out, and times that a broker gave."""


@dataclass
class _PartitionHash:
    """One hash for each column of a partition, so that it does not matter where batches begin."""

    records: int = 0
    columns: dict[str, Any] = field(default_factory=dict)

    def add(self, batch: pa.RecordBatch) -> None:
        self.records += batch.num_rows
        for name, piece in pieces(batch):
            if name not in _OUTSIDE:
                self.columns.setdefault(name, sha256()).update(np.ascontiguousarray(piece).view(np.uint8))

    def digest(self, *, timestamps: bool) -> str:
        whole = sha256(str(self.records).encode())
        for name, column in sorted(self.columns.items()):
            if timestamps or name != "timestamp":
                whole.update(name.encode() + b"\0" + column.digest())
        return whole.hexdigest()


@dataclass(frozen=True)
class Digest:
    """What was found in a topic."""

    topic: str
    records: int
    digest: str
    """SHA-256 over keys, values, headers, timestamps and their order in each partition."""
    content: str
    """The same without timestamps."""
    partitions: dict[int, tuple[int, str, str]]
    """Records, digest and content of each partition that has records."""


class Digester:
    """Accepts records of one or more topics and returns their digests."""

    def __init__(self) -> None:
        self._hashes: dict[tuple[str, int], _PartitionHash] = {}

    def accept(self, topic: str, partition: int, records: Records) -> None:
        """Add records behind those of their partition."""
        if len(records):
            self.add(topic, partition, batch_of(topic, partition, [records]))

    def add(self, topic: str, partition: int, batch: pa.RecordBatch) -> None:
        """Add rows of a capture behind those of their partition."""
        self._hashes.setdefault((topic, partition), _PartitionHash()).add(batch)

    def digests(self, topics: Iterable[str]) -> dict[str, Digest]:
        """Return the digest of each topic."""
        return {topic: self._digest(topic) for topic in topics}

    def _digest(self, topic: str) -> Digest:
        parts = {
            number: (one.records, one.digest(timestamps=True), one.digest(timestamps=False))
            for (name, number), one in sorted(self._hashes.items())
            if name == topic
        }
        whole, content = (
            sha256("".join(f"{number} {part[place]}\n" for number, part in parts.items()).encode()).hexdigest()
            for place in (1, 2)
        )
        return Digest(topic, sum(part[0] for part in parts.values()), whole, content, parts)
