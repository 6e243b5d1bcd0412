"""What a fetch brings, as chunks: every offset in exactly one of them, and only values a reader may see."""

from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from streams.engines.faust.batches import BatchRecords
from streams.engines.faust.chunks import Chunk, merged
from streams.kafka import rawbatch
from tests.chunks import chunk_of
from tests.property.test_columns import EVENT

PLACE = TopicPartition("space.presence.r", 0)
ABORT = b"\x00\x00\x00\x00"


def _batch(first: int, numbers: list[int], **about: Any) -> bytes:
    """Return a batch whose records have the offsets ``first`` + number and tell them in their values."""
    settings: dict[str, Any] = {"producer_id": -1, "is_transactional": 0, "compression_type": 0, **about}
    builder = DefaultRecordBatchBuilder(2, producer_epoch=0, base_sequence=0, batch_size=1 << 24, **settings)
    for number in numbers:
        builder.append(number, 0, key=b"1", value=EVENT + b" " * (first + number), headers=[])
    return first.to_bytes(8, "big") + bytes(builder.build())[8:]


def _control(offset: int, producer: int, kind: bytes = ABORT) -> bytes:
    """Return a batch of one control record that ends a transaction."""
    builder = DefaultRecordBatchBuilder(
        2, 0, is_transactional=1, producer_id=producer, producer_epoch=0, base_sequence=-1, batch_size=1 << 10
    )
    builder.append(0, 0, key=kind, value=b"\x00" * 6, headers=[])
    batch = bytearray(builder.build())
    batch[0:8] = offset.to_bytes(8, "big")
    batch[22] |= 0x20
    return bytes(batch)


def _fetched(data: bytes, offset: int = 0, aborted: Any = (), *, check: bool = False) -> list[Chunk]:
    records = BatchRecords(PLACE, MemoryRecords(data), list(aborted), offset, None, None, check, 1)
    records.data = data
    return list(records)


def _seen(chunks: list[Chunk]) -> list[int]:
    """Return the offsets of the values, having checked that they are told right and that no offset is left out."""
    offsets = []
    for before, chunk in zip([None, *chunks], chunks, strict=False):
        assert before is None or before.next_offset == chunk.start
        for row, value in enumerate(chunk.values):
            assert len(value) - len(EVENT) == chunk.offsets[row]
            offsets.append(int(chunk.offsets[row]))
    return offsets


@pytest.fixture(params=[True, False], ids=["kernel", "walking"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read batches both ways."""
    monkeypatch.setattr(rawbatch, "COMPILED", request.param)


@pytest.mark.usefixtures("either_way")
def test_one_chunk_per_batch() -> None:
    """Neighbouring batches become neighbouring chunks."""
    chunks = _fetched(_batch(0, [0, 1, 2]) + _batch(3, [0, 1]))
    assert [(chunk.start, chunk.next_offset) for chunk in chunks] == [(0, 3), (3, 5)]
    assert _seen(chunks) == [0, 1, 2, 3, 4]


@pytest.mark.usefixtures("either_way")
def test_a_start_within_a_batch() -> None:
    """Records before the offset that was asked for are left out."""
    chunks = _fetched(_batch(0, [0, 1, 2, 3]) + _batch(4, [0]), offset=2)
    assert chunks[0].start == 2
    assert _seen(chunks) == [2, 3, 4]


@pytest.mark.usefixtures("either_way")
def test_offsets_that_compaction_took_out() -> None:
    """A batch with holes keeps the offsets of its values, and covers the holes."""
    chunks = _fetched(_batch(0, [1, 3, 4]) + _batch(5, [0]))
    assert chunks[0].next_offset == 5
    assert _seen(chunks) == [1, 3, 4, 5]


@pytest.mark.usefixtures("either_way")
def test_transactions_given_up_and_their_marks_are_covered_and_not_seen() -> None:
    """What a reader must not see has offsets and no values."""
    data = (
        _batch(0, [0, 1], producer_id=7, is_transactional=1)
        + _batch(2, [0], producer_id=8, is_transactional=1)
        + _control(3, 7)
        + _batch(4, [0], producer_id=7, is_transactional=1)
    )
    chunks = _fetched(data, aborted=[(7, 0)])
    assert _seen(chunks) == [2, 4]
    assert (chunks[0].start, chunks[-1].next_offset) == (0, 5)


@pytest.mark.parametrize("compression", [1, 2, 3, 4])
@pytest.mark.usefixtures("either_way")
def test_compressed_batches(compression: int) -> None:
    """Gzip, snappy, lz4 and zstd are taken out of their compression first."""
    assert _seen(_fetched(_batch(0, list(range(50)), compression_type=compression))) == list(range(50))


@pytest.mark.usefixtures("either_way")
def test_a_damaged_batch_is_noticed_after_what_lies_before_it() -> None:
    """Its checksum does not fit; the position stays where fetching has to go on."""
    data = bytearray(_batch(0, [0, 1]) + _batch(2, [0]))
    data[-20] ^= 1
    records = BatchRecords(PLACE, MemoryRecords(bytes(data)), [], 0, None, None, True, 1)
    records.data = bytes(data)
    assert _seen([next(records)]) == [0, 1]
    with pytest.raises(CorruptRecordException):
        next(records)
    assert records.next_fetch_offset == 2


def test_values_stay_in_the_bytes_of_the_fetch() -> None:
    """They are cut out only where one is asked for; two batches of one fetch are joined without a copy."""
    chunks = _fetched(_batch(0, [0, 1]) + _batch(2, [0]), check=True)
    (chunk,) = merged(chunks, 10)
    assert chunk.values.data is chunks[0].values.data is chunks[1].values.data


@pytest.mark.parametrize("sizes", [[1] * 7, [5, 1, 1], [1, 5, 1]])
def test_small_chunks_are_joined(sizes: list[int]) -> None:
    """Neighbours are joined until they are large enough; nothing changes but the number of chunks."""
    data, first = b"", 0
    for size in sizes:
        data += _batch(first, list(range(size)))
        first += size
    chunks = _fetched(data)
    joined = list(merged(chunks, 3))
    assert _seen(joined) == _seen(chunks) == list(range(7))
    assert all(len(chunk.values) >= 3 for chunk in joined[:-1])
    assert len(joined) < len(chunks) or len(chunks) == 1


def test_chunks_with_a_gap_between_them_are_not_joined() -> None:
    """A gap has to stay visible."""
    one, _, three = _fetched(_batch(0, [0]) + _batch(1, [0]) + _batch(2, [0]))
    assert [chunk.start for chunk in merged([one, three], 10)] == [0, 2]


def test_a_chunk_from_some_offset_on() -> None:
    """What a state has seen before is left out of a chunk that reaches further."""
    chunk = chunk_of(0, 6, [b"a", b"b", b"c"], [0, 1, 4])
    later = chunk.since(1)
    assert (later.start, later.next_offset, list(later.values), later.offsets.tolist()) == (1, 6, [b"b", b"c"], [1, 4])
    assert chunk.since(0) is chunk
