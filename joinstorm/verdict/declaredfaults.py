"""The events a run's declared faults hit: from ``run.info`` alone, and from the tape where bytes matter."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from producers.compose.composer import Composer
from producers.compose.faults import (
    CORRUPT,
    DAMAGES,
    DUPLICATE,
    KINDS,
    LATE,
    MISSING,
    OUT_OF_ORDER,
    affected_by,
    damaged_copies,
)
from producers.compose.lanes import Ints
from producers.compose.marks import watermark_times
from producers.tape.tapefile import Tape
from streams.contract.runinfo import RunInfo
from streams.contract.topics import INPUTS

_CHUNK: Final = 1 << 18
"""Events processed at a time, so that the working arrays stay small."""


class Copy(NamedTuple):
    """A damaged copy as sent."""

    topic: str
    """Full name of the input topic."""
    partition: int
    value: bytes
    event_id: int
    damage: str
    """One of ``producers.compose.faults.DAMAGES``."""


@dataclass(frozen=True)
class Declared:
    """The faults to be injected into a run.

    Args:
        counts: Number of events hit, by kind of fault.
        missing: Ids of the events never sent, ascending.
    """

    counts: dict[str, int]
    missing: Ints = field(repr=False)


def declared(info: RunInfo) -> Declared:
    """Return the faults to be injected into a run; none where none are declared."""
    counts: Counter[str] = Counter()
    missing: list[Ints] = [np.empty(0, dtype=np.int64)]
    for ids in _chunks(info) if info.faults else ():
        assert info.faults is not None
        affected = affected_by(info.faults, ids)
        by_kind = {
            DUPLICATE: affected.duplicate, OUT_OF_ORDER: affected.out_of_order, LATE: affected.late,
            CORRUPT: affected.corrupt, MISSING: affected.missing,
        }  # fmt: skip
        counts.update({kind: int(np.count_nonzero(which)) for kind, which in by_kind.items()})
        missing.append(ids[affected.missing])
    active = [kind for kind in KINDS if info.faults and info.faults.rate(kind)]
    return Declared({kind: counts[kind] for kind in active}, np.concatenate(missing))


def _chunks(info: RunInfo) -> Iterator[Ints]:
    for begin in range(0, info.events, _CHUNK):
        yield np.arange(begin, min(begin + _CHUNK, info.events), dtype=np.int64)


def copies(tape: Tape, info: RunInfo) -> Iterator[Copy]:
    """Yield every damaged copy sent in a run of a tape; neither events themselves nor duplicates are ever damaged.

    Raises:
        TapeError: The tape cannot be read.
    """
    if info.faults is None or not info.faults.rate(CORRUPT):
        return
    composer = Composer(info)
    for batch in tape.blocks():
        corrupt = np.flatnonzero(affected_by(info.faults, batch.column("event_id").to_numpy()).corrupt)
        for lane in composer.fresh(batch.take(pa.array(corrupt))) if len(corrupt) else ():
            affected = affected_by(info.faults, lane.rows)
            values = damaged_copies(lane, affected).values.to_pylist()
            for value, row, damage in zip(values, lane.rows.tolist(), affected.damage.tolist(), strict=True):
                yield Copy(lane.topic, lane.partition, value, row, DAMAGES[damage])


def records_planned(info: RunInfo, counts: dict[str, int]) -> int:
    """Return how many records, marks included, a run's input topics hold when each is sent once."""
    marks = len(watermark_times(info.start, info.end, info.watermark_step_ms)) + 1
    events = info.events - counts.get(MISSING, 0) + counts.get(DUPLICATE, 0) + counts.get(CORRUPT, 0)
    return events + marks * len(INPUTS) * info.partitions
