"""Captures in tests: records as rows, and captures made of them without a broker."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from aiokafka import TopicPartition
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from producers.capture.capturefile import Capture, open_capture
from producers.capture.captureformat import CapturePlan, Part
from producers.capture.capturewriter import CaptureWriter
from producers.capture.columns import Records
from producers.capture.reading import RecordBatches

AT = 1_700_000_000_000
CREATED = 1_764_400_000_000


class Row(NamedTuple):
    """A record."""

    offset: int
    at: int
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()


def encoded(rows: Sequence[Row], compression: int = 0) -> bytes:
    """Return rows as a batch of a topic."""
    builder = DefaultRecordBatchBuilder(
        2, compression, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1, batch_size=1 << 24
    )
    first = rows[0].offset
    for row in rows:
        builder.append(row.offset - first, row.at, key=row.key, value=row.value, headers=list(row.headers))
    return first.to_bytes(8, "big") + bytes(builder.build())[8:]


def fetched(data: bytes, begin: int = 0) -> list[Records]:
    """Return what a fetch of these bytes brings from an offset on."""
    found = RecordBatches(TopicPartition("t", 0), MemoryRecords(data), [], begin, None, None, True, 1)
    found.data = data
    return list(found)


def rows_of(batch: pa.RecordBatch) -> Iterator[Row]:
    """Yield the rows of a capture's batch."""
    names = ("offset", "timestamp", "key", "value", "headers")
    for offset, at, key, value, headers in zip(*(batch.column(name).to_pylist() for name in names), strict=True):
        yield Row(offset, at, key, value, tuple((one["name"].decode(), one["value"]) for one in headers))


def plan_of(topics: dict[str, int], **changes: Any) -> CapturePlan:
    """Return a plan of whole topics."""
    parts = tuple(Part(topic, number, 0, 1 << 40) for topic, count in topics.items() for number in range(count))
    fields: dict[str, Any] = {
        "v": 1, "cluster": "c", "topics": topics, "ids": dict.fromkeys(topics, "i"), "parts": parts,
        "committed": True, "until_ms": None, "count": None, "created_ms": CREATED,
    }  # fmt: skip
    return CapturePlan(**{**fields, **changes})


def captured(path: Path, topics: dict[str, int], batches: Iterable[tuple[str, int, Sequence[Row]]]) -> Capture:
    """Return a capture in which each of these stretches of records is a batch."""
    with CaptureWriter(path, plan_of(topics)) as writer:
        for topic, partition, rows in batches:
            for records in fetched(encoded(rows), rows[0].offset):
                writer.append(topic, partition, records)
            writer.flush()
        writer.finish()
    return open_capture(path)


def contents(capture: Capture) -> dict[tuple[str, int], list[Row]]:
    """Return every record of a capture by topic and partition."""
    return {
        place: [row for entry in entries for row in rows_of(capture.read(entry))]
        for place, entries in capture.by_partition.items()
    }
