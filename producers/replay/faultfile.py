"""The fault file: every declared fault that a run injects, as Parquet next to the tape."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from producers.compose.faults import CORRUPT, DAMAGES, DUPLICATE, KINDS, LATE, MISSING, OUT_OF_ORDER, affected_by
from producers.compose.partition import partition_table
from producers.tape.tapefile import Tape
from streams.contract.runinfo import Faults, RunInfo
from streams.errors import UsageError, reason
from streams.system.wholefile import whole_file

METADATA_KEY = b"joinstorm-faults"
SCHEMA = pa.schema(
    [
        pa.field("kind", pa.dictionary(pa.int8(), pa.string()), nullable=False),  # producers.compose.faults.KINDS
        pa.field("event_id", pa.int64(), nullable=False),
        pa.field("at", pa.int64(), nullable=False),  # event time, ms since the epoch
        pa.field("topic", pa.dictionary(pa.int8(), pa.string()), nullable=False),  # base name of the input topic
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("delay_ms", pa.int64()),  # how long after its event time this copy leaves; null where it never does
        pa.field("damage", pa.dictionary(pa.int8(), pa.string())),  # one of producers.compose.faults.DAMAGES
    ]
)


class FaultsInfo(msgspec.Struct, frozen=True):
    """The metadata of a fault file."""

    v: int
    run: str
    tape_sha256: str
    seed: int
    rates: dict[str, float]
    duplicate_ms: int
    out_of_order_ms: int
    late_ms: int
    counts: dict[str, int]
    """Faults injected, by kind."""

    def faults(self) -> Faults:
        """Return the declaration the file was made from."""
        return Faults(self.rates, self.seed, self.duplicate_ms, self.out_of_order_ms, self.late_ms)


@dataclass(frozen=True)
class FaultFile:
    """A fault file in memory."""

    path: Path
    info: FaultsInfo
    rows: pa.Table

    def event_ids(self, kind: str) -> list[int]:
        """Return the ids of the events with this kind of fault, ascending."""
        ids: list[int] = self.rows.filter(pc.equal(self.rows.column("kind"), kind)).column("event_id").to_pylist()
        return sorted(ids)


def fault_path(tape: Path, run: str) -> Path:
    """Return the default path of a run's fault file: next to its tape."""
    return tape.with_name(f"{tape.stem}.{run}.faults.parquet")


def write_faults(path: Path, tape: Tape, faults: Faults, info: RunInfo) -> FaultsInfo:
    """Write every fault that a run of the tape injects, before it is played; the file appears whole or not at all.

    Raises:
        UsageError: The file cannot be written.
        TapeError: The tape cannot be read.
    """
    try:
        with whole_file(path) as part:
            return _write(part, tape, faults, info)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written: {reason(error)}; choose another path with --faults-file"
        ) from None


def _write(path: Path, tape: Tape, faults: Faults, info: RunInfo) -> FaultsInfo:
    counts = dict.fromkeys(KINDS, 0)
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as file:
        for rows in _accounts(tape, faults, info):
            file.write_table(rows)
            for entry in rows.column("kind").value_counts().to_pylist():
                counts[entry["values"]] += entry["counts"]
        metadata = FaultsInfo(
            1, info.run, info.tape_sha256, faults.seed, dict(faults.rates), faults.duplicate_ms,
            faults.out_of_order_ms, faults.late_ms, counts,
        )  # fmt: skip
        file.add_key_value_metadata({METADATA_KEY: msgspec.json.encode(metadata)})
    return metadata


def read_faults(path: Path) -> FaultFile:
    """Read a fault file.

    Raises:
        UsageError: The file is missing, unreadable or not a fault file.
    """
    try:
        rows = pq.read_table(path)
        metadata = pq.read_metadata(path).metadata or {}
        info = msgspec.json.decode(metadata.get(METADATA_KEY, b""), type=FaultsInfo)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such fault file") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {reason(error)}") from None
    except (pa.ArrowInvalid, msgspec.DecodeError) as error:
        raise UsageError(f"{path}: not a fault file: {error}") from None
    return FaultFile(path, info, rows)


def _accounts(tape: Tape, faults: Faults, info: RunInfo) -> Iterator[pa.Table]:
    partition_of = partition_table(info.people, info.partitions)
    for batch in tape.blocks():
        found = affected_by(faults, batch.column("event_id").to_numpy())
        by_kind = [
            (DUPLICATE, found.duplicate, found.echo), (OUT_OF_ORDER, found.out_of_order, found.delay),
            (LATE, found.late, found.delay), (CORRUPT, found.corrupt, found.delay), (MISSING, found.missing, None),
        ]  # fmt: skip
        for kind, affected, delay in by_kind:
            places = np.flatnonzero(affected)
            if len(places):
                rows = batch.select(["event_id", "at", "topic", "person"]).take(pa.array(places))
                damage = found.damage[places] if kind == CORRUPT else None
                yield _table(kind, rows, partition_of, None if delay is None else delay[places], damage)


def _table(kind: str, rows: pa.RecordBatch, partition_of: Any, delay: Any, damage: Any) -> pa.Table:
    count = rows.num_rows
    columns = [
        pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int8)), pa.array([kind], pa.string())),
        rows.column("event_id"),
        rows.column("at"),
        rows.column("topic"),
        pa.array(partition_of[rows.column("person").to_numpy()].astype(np.int32)),
        pa.nulls(count, pa.int64()) if delay is None else pa.array(delay),
        pa.nulls(count, SCHEMA.field("damage").type)
        if damage is None
        else pa.DictionaryArray.from_arrays(pa.array(damage.astype(np.int8)), pa.array(DAMAGES, pa.string())),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)
