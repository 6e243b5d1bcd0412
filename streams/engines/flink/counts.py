"""What Flink's private topic says: single counts, as upserts, folded into results and progress with versions.

Flink writes the topic in transactions, one per checkpoint. A checkpoint is a consistent cut: everything that follows
from the records before some offsets, and nothing else. So at the end of each transaction the rows and the progress
belong together. A row's version is the place after its newest count in the topic: the topic is the one order in which
Flink's words count, also after a crash, for what was not committed is never read.
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
    """Everything committed so far; to be asked at the end of a transaction only."""

    def take(self, key: bytes, value: bytes | None, offset: int) -> None:
        """Take one record of the private topic; without a value it takes a count back to nothing."""
        said = _keys.decode(key)
        n = (_values.decode(value).n or 0) if value else 0
        self.put(CountKey(said.about, said.shard, said.window_at, said.name, said.measure), n, offset + 1)
