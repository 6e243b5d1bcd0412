"""Values found without walking a batch are the ones a reader walking it finds, whatever the bytes."""

import random

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from streams.engines.faust import framing
from tests.property.test_columns import EVENT

Record = tuple[int, bytes | None, bytes]


@pytest.fixture(autouse=True, scope="module")
def _small_batches() -> None:
    """Look at batches of any size."""
    patch = pytest.MonkeyPatch()
    patch.setattr(framing, "FROM_RECORDS", 1)


def _batch(records: list[Record], headers: dict[int, list[tuple[str, bytes]]] | None = None) -> bytes:
    """Return a record batch; a record is time, key and value."""
    builder = DefaultRecordBatchBuilder(
        2, 0, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1, batch_size=1 << 24
    )
    for number, (at, key, value) in enumerate(records):
        builder.append(number, at, key=key, value=value, headers=(headers or {}).get(number, []))
    return bytes(builder.build())


class _Walk:
    """Reads a batch as the protocol says, byte by byte."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, framing.HEADER

    def number(self) -> int:
        raw = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            raw |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return (raw >> 1) ^ -(raw & 1)
            if shift > 63:
                raise ValueError("too long a number")

    def blob(self) -> bytes | None:
        length = self.number()
        if length < 0:
            return None
        self.at += length
        if self.at > len(self.data):
            raise ValueError("cut off")
        return self.data[self.at - length : self.at]

    def record(self, number: int) -> bytes | None:
        length = self.number()
        begin = self.at
        self.at += 1
        self.number()
        if self.number() != number:
            raise ValueError("another number")
        self.blob()
        value = self.blob()
        for _ in range(self.number()):
            self.blob()
            self.blob()
        if self.at != begin + length:
            raise ValueError("another length")
        return value

    def values(self, records: int) -> list[bytes | None]:
        found = [self.record(number) for number in range(records)]
        if self.at != len(self.data):
            raise ValueError("bytes are left")
        return found


_times = st.one_of(st.integers(1_684_965_600_000, 1_684_965_900_000), st.integers(0, 1 << 50))
_keys = st.one_of(st.none(), st.integers(0, 10**9).map(lambda key: str(key).encode()))
_values = st.one_of(
    st.integers(0, 400).map(lambda size: EVENT + b" " * size), st.integers(0, 9).map(lambda size: EVENT[: 90 + size])
)
_records = st.lists(st.tuples(_times, _keys, _values), min_size=1, max_size=70)


@given(_records, st.binary(max_size=20), st.binary(max_size=20))
def test_every_plain_batch_is_found(records: list[Record], before: bytes, after: bytes) -> None:
    """Whatever the times, keys and lengths, and wherever the batch lies in a buffer."""
    batch = _batch(records)
    found = framing.values(before + batch + after, len(before), len(before) + len(batch), len(records))
    assert found is not None
    assert list(found) == [value for _, _, value in records]


@given(_records, st.randoms(use_true_random=False))
def test_altered_batches_are_read_as_they_stand_or_left(records: list[Record], rng: random.Random) -> None:
    """With bytes changed, what is found is still what a walk finds; if there is doubt, nothing is found."""
    batch = bytearray(_batch(records))
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(framing.HEADER, len(batch))
        batch[at] = rng.choice((rng.randrange(256), batch[at] ^ 1, batch[at] ^ 0x80, ord("{")))
    found = framing.values(bytes(batch), 0, len(batch), len(records))
    if found is not None:
        assert list(found) == _Walk(bytes(batch)).values(len(records))


@given(_records, st.integers(0, 69))
def test_headers_and_other_values_are_left_to_a_walk(records: list[Record], place: int) -> None:
    """A record with headers, or a value that is no object, is nothing for this."""
    place %= len(records)
    batch = _batch(records, {place: [("a", b"b")]})
    assert framing.values(batch, 0, len(batch), len(records)) is None
    at, key, _ = records[place]
    batch = _batch([*records[:place], (at, key, b"[1]"), *records[place + 1 :]])
    assert framing.values(batch, 0, len(batch), len(records)) is None


def test_numbers_of_three_bytes() -> None:
    """Batches of more than 8,192 records number them in three bytes."""
    records: list[Record] = [(1_684_965_600_000 + number, b"%d" % number, EVENT) for number in range(9_000)]
    batch = _batch(records)
    found = framing.values(batch, 0, len(batch), len(records))
    assert found is not None
    assert len(found) == 9_000
    assert set(found) == {EVENT}


def test_a_wrong_count_is_nothing_for_this() -> None:
    """A header that announces more or fewer records than there are."""
    batch = _batch([(0, b"1", EVENT)] * 5)
    assert framing.values(batch, 0, len(batch), 4) is None
    assert framing.values(batch, 0, len(batch), 6) is None
    assert framing.values(batch, 0, len(batch) - 1, 5) is None
