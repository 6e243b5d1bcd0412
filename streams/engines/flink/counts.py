"""Reads Flink's private topic: single counts, as upserts, become results and progress with versions.

Flink writes the topic in transactions, one per checkpoint. A checkpoint is a consistent cut: everything that follows
from the records before some offsets, and nothing else. So at the end of each transaction the rows and the progress are
consistent. A row's version is the offset after its newest count in the topic. That order also holds after a crash,
because uncommitted records are never read.
"""

import msgspec

from streams.engines.shared.upserts import CountKey, UpsertCounts


class _Key(msgspec.Struct, frozen=True):
    about: str
    shard: int
    window_at: int
    name: str
    measure: str


class _Value(msgspec.Struct, frozen=True):
    n: int | None


_keys = msgspec.json.Decoder(_Key)
_values = msgspec.json.Decoder(_Value)


class FlinkCounts(UpsertCounts):
    """Everything committed so far; call the ``take`` methods only at the end of a transaction."""

    def accept(self, key: bytes, value: bytes | None, offset: int) -> None:
        """Add one record of the private topic; a record without a value resets its count to zero."""
        found = _keys.decode(key)
        n = (_values.decode(value).n or 0) if value else 0
        self.put(CountKey(found.about, found.shard, found.window_at, found.name, found.measure), n, offset + 1)
