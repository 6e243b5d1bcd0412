"""Values that the kernel finds in a batch are the ones aiokafka finds there, whatever the bytes."""

import contextlib
import random
from typing import NamedTuple

import numpy as np
import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.rawbatch import RawBatch
from tests.property.test_columns import EVENT

HEADER = 61


class Record(NamedTuple):
    """One record of a batch."""

    gap: int
    """Offsets left out before it."""
    at: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


def _batch(records: list[Record], compression: int = 0, first: int = 1_000) -> bytes:
    """Return a record batch that begins at an offset."""
    builder = DefaultRecordBatchBuilder(
        2, compression, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1, batch_size=1 << 24
    )
    offset = -1
    for record in records:
        offset += 1 + record.gap
        builder.append(offset, record.at, key=record.key, value=record.value, headers=record.headers)
    return first.to_bytes(8, "big") + bytes(builder.build())[8:]


def _found(data: bytes, start: int = 0) -> list[tuple[int, bytes]] | None:
    """Return offsets and values as the kernel finds them."""
    found = RawBatch.at(data, start).values()
    return None if found is None else list(zip(found[1].tolist(), found[0], strict=True))


def _theirs(data: bytes) -> list[tuple[int, bytes]]:
    """Return what aiokafka finds in a batch; raises whatever it raises."""
    batch = MemoryRecords(data).next_batch()
    return [(record.offset, record.value or b"") for record in batch]


_times = st.one_of(st.integers(1_684_965_600_000, 1_684_965_900_000), st.integers(0, 1 << 50))
_keys = st.one_of(st.none(), st.integers(0, 10**9).map(lambda key: str(key).encode()), st.binary(max_size=70))
_values = st.one_of(
    st.none(), st.binary(max_size=40), st.integers(0, 200).map(lambda size: EVENT + b" " * size), st.just(b"x" * 9_000)
)
_headers = st.lists(st.tuples(st.text(max_size=4), st.none() | st.binary(max_size=4)), max_size=2)
_records = st.lists(
    st.builds(Record, st.integers(0, 2) | st.just(0), _times, _keys, _values, _headers | st.just([])),
    min_size=1,
    max_size=40,
)


@given(_records, st.sampled_from([0, 0, 0, 1, 2, 3, 4]), st.binary(max_size=20), st.binary(max_size=20))
def test_every_batch_is_found(records: list[Record], compression: int, before: bytes, after: bytes) -> None:
    """Whatever times, keys, values, headers, gaps and compression, and wherever the batch lies in a buffer."""
    batch = _batch(records, compression)
    assert _found(before + batch + after, len(before)) == _theirs(batch)


@given(_records, st.randoms(use_true_random=False))
def test_altered_batches_are_read_as_they_stand_or_left(records: list[Record], rng: random.Random) -> None:
    """With bytes changed, what is found is what aiokafka finds, too; if there is doubt, nothing is found."""
    batch = bytearray(_batch(records))
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(HEADER, len(batch))
        batch[at] = rng.choice((rng.randrange(256), batch[at] ^ 1, batch[at] ^ 0x80, 0xFF))
    found = _found(bytes(batch))
    if found is not None:
        with contextlib.suppress(UnicodeDecodeError):  # aiokafka reads names of headers, too
            assert found == _theirs(bytes(batch))


@given(_records, st.data())
def test_a_batch_cut_off_anywhere_is_nothing(records: list[Record], data: st.DataObject) -> None:
    """The last bytes missing, or others in their place: nothing is read after the batch's end."""
    batch = _batch(records)
    cut = bytearray(batch[: data.draw(st.integers(HEADER, len(batch) - 1))])
    cut[8:12] = (len(cut) - 12).to_bytes(4, "big")
    assert _found(bytes(cut) + batch[len(cut) :]) is None


def test_a_wrong_count_is_nothing() -> None:
    """A header that announces more or fewer records than there are, or more than could be."""
    batch = bytearray(_batch([Record(0, 0, b"1", EVENT, [])] * 5))
    for count in (0, 4, 6, 1 << 31):
        batch[57:61] = count.to_bytes(4, "big")
        assert _found(bytes(batch)) is None


@pytest.mark.parametrize("tombstone", [None, b"[]"])
def test_objects_within_objects(tombstone: bytes | None) -> None:
    """Braces in values mislead nobody: a nested object that begins just before the end of the last value."""
    inner = b'{"c":"' + b"x" * 20 + b'"}}'
    values = [b'{"a":1}'] * 300 + [tombstone, b'{"more":"0123456789","x":' + inner]
    found = _found(_batch([Record(0, 0, b"1", value, []) for value in values]))
    assert found is not None
    assert [value for _, value in found] == [value or b"" for value in values]


def test_numbers_of_three_bytes() -> None:
    """Batches of more than 8,192 records number them in three bytes."""
    batch = _batch([Record(0, 1_684_965_600_000 + number, b"%d" % number, EVENT, []) for number in range(9_000)])
    found = _found(batch)
    assert found is not None
    assert np.array_equal([offset for offset, _ in found], np.arange(1_000, 10_000))
