"""What is in a capture: an Arrow stream, each of whose batches holds neighbouring records of one partition.

A stream has no footer: a file that was cut is whole up to its last complete batch. What the batches do not say of
themselves stands in their metadata (``BatchNote``), what was asked for in the schema's (``CapturePlan``), and the last
batch, which is empty, says that the capture is complete (``CaptureEnd``).
"""

from typing import Final, Literal

import msgspec
import pyarrow as pa

PLAN_KEY: Final = b"joinstorm.capture"
BATCH_KEY: Final = b"joinstorm.batch"
END_KEY: Final = b"joinstorm.end"
CREATED: Final = 0
APPENDED: Final = 1

HEADERS: Final = pa.list_(
    pa.field(
        "header",
        pa.struct([pa.field("name", pa.binary(), nullable=False), pa.field("value", pa.binary())]),
        nullable=False,
    )
)
SCHEMA: Final = pa.schema(
    [
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("topic", pa.string(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("timestamp", pa.int64(), nullable=False),
        pa.field("timestamp_type", pa.int8(), nullable=False),
        pa.field("key", pa.binary()),
        pa.field("value", pa.binary()),
        pa.field("headers", HEADERS, nullable=False),
    ]
)
"""A record is a row: timestamps in ms since the epoch, ``CREATED`` by the producer or ``APPENDED`` by the broker."""


class Part(msgspec.Struct, frozen=True):
    """What is asked of one partition."""

    topic: str
    partition: int
    begin: int
    """The first offset."""
    end: int | None
    """The offset at which it ends, None if that is not known before ``until_ms``."""


class CapturePlan(msgspec.Struct, frozen=True):
    """What was asked for; with it, a capture that was cut is continued."""

    v: Literal[1]
    cluster: str
    """The id of the cluster."""
    topics: dict[str, int]
    """The number of partitions of each topic."""
    ids: dict[str, str]
    """The id of each topic: one that is made again under its name has another."""
    parts: tuple[Part, ...]
    committed: bool
    """Whether records of open and aborted transactions are left out."""
    until_ms: int | None
    """The wall clock at which a capture of what is still to come ends."""
    count: int | None
    """The most records of all partitions together."""
    created_ms: int


class BatchNote(msgspec.Struct, frozen=True):
    """What is known of a batch without reading it."""

    topic: str
    partition: int
    records: int
    next: int
    """The offset after the last one that the batch covers; records without a place in it are not to be read."""
    first_at: int
    """The least timestamp."""
    last_at: int
    """The greatest timestamp."""
    crc: int
    """CRC-32C over the columns (``checksum``)."""


class CaptureEnd(msgspec.Struct, frozen=True):
    """The note of the last batch: nothing is missing."""

    records: int
    ended_ms: int
