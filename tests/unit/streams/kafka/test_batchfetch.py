"""A fetch that was taken is let go at once: nothing waits for a search for cycles, which comes seldom."""

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult, PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from streams.engines.faust.batches import BatchRecords
from streams.kafka.batchfetch import BatchFetcher

PLACE = TopicPartition("presence", 0)


@pytest.fixture(autouse=True)
def _no_search_for_cycles() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def _fetched() -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1 << 20)
    for offset in range(3):
        builder.append(offset, timestamp=0, key=None, value=b"{}", headers=[])
    return bytes(builder.build())


def test_bytes_are_let_go_with_the_last_chunk() -> None:
    """What aiokafka had made of them, ours in its place, and the generator of each refer to one another."""
    data = _fetched()
    plain = PartitionRecords(PLACE, MemoryRecords(data), [], 0, None, None, True, READ_COMMITTED)
    result: Any = FetchResult(PLACE, assignment=None, partition_records=plain, backoff=0)
    fetcher: Any = BatchFetcher.__new__(BatchFetcher)
    fetcher._records, fetcher.batches = {PLACE: result}, BatchRecords
    fetcher._use_batches(PLACE, data)
    ours = result._partition_records
    left = [weakref.ref(plain), weakref.ref(ours)]
    assert [(chunk.start, chunk.next_offset) for chunk in ours] == [(0, 3)]
    del plain, ours, result
    fetcher._records.clear()
    assert [one() for one in left] == [None, None]
