"""Declared faults: duplicate, late, out-of-order, corrupt and missing records, each by rate and seed.

Whether and how an event is affected depends on its id and the seed alone, so a resumed replay, the truth and the check
of the fault file agree. Damage is done to an additional copy: only a missing event changes the counts.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from producers.compose import lanes
from producers.compose.lanes import Ints, Lane
from producers.moments import duration_ms
from streams.contract.runinfo import Faults
from streams.errors import UsageError
from streams.suggest import unknown

Bools: TypeAlias = npt.NDArray[np.bool_]

DUPLICATE = "duplicate"
OUT_OF_ORDER = "out-of-order"
LATE = "late"
CORRUPT = "corrupt"
MISSING = "missing"
KINDS = (DUPLICATE, OUT_OF_ORDER, LATE, CORRUPT, MISSING)

DAMAGES = ("truncated", "binary", "wrong-version", "nameless", "foreign-id")
"""The damage of a corrupt copy: cut off; not text; of another version; without its time; an id beyond the run's."""
_BEYOND = (1 << 53) - 1


def parse_faults(texts: Iterable[str], seed: int = 0) -> Faults:
    """Read declared faults from ``KIND=RATE`` or ``KIND=RATE:DURATION``.

    Raises:
        UsageError: A kind is unknown, a rate lies outside 0 to 1, or a duration is given to a kind that has none.
    """
    faults = Faults(seed=seed)
    for text in texts:
        match = re.fullmatch(r"([a-z-]+)=([^:]+)(?::(.+))?", text)
        if match is None:
            raise UsageError(f"fault {text!r}: expected KIND=RATE or KIND=RATE:DURATION, such as duplicate=0.01")
        kind, rate, duration = match.groups()
        faults = msgspec.structs.replace(
            faults, rates={**faults.rates, kind: _rate(kind, rate)}, **_duration(kind, duration)
        )
    return msgspec.structs.replace(faults, rates={kind: rate for kind, rate in faults.rates.items() if rate})


def _rate(kind: str, text: str) -> float:
    if kind not in KINDS:
        raise UsageError(unknown("fault", kind, KINDS))
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0.0 <= rate <= 1.0:
        raise UsageError(f"fault {kind}={text}: expected a rate from 0 to 1")
    return rate


def _duration(kind: str, text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    names = {DUPLICATE: "duplicate_ms", OUT_OF_ORDER: "out_of_order_ms", LATE: "late_ms"}
    if kind not in names:
        raise UsageError(f"fault {kind} takes no duration; {', '.join(names)} do")
    return {names[kind]: duration_ms(text)}


@dataclass(frozen=True)
class Affected:
    """Which events are affected by which fault, and how; all arrays have one entry per event."""

    missing: Bools
    duplicate: Bools
    out_of_order: Bools
    late: Bools
    corrupt: Bools
    delay: Ints
    """How long after its event time the event leaves, ms."""
    echo: Ints
    """How long after its event time the duplicate leaves, ms."""
    damage: Ints
    """Index into ``DAMAGES`` of the corrupt copy."""


def affected_by(faults: Faults, event_ids: Ints) -> Affected:
    """Return what happens to events, by their ids alone."""

    def drawn(kind: str) -> Bools:
        if not faults.rate(kind):  # most runs declare few kinds, and every draw costs the same
            return np.zeros(len(event_ids), dtype=np.bool_)
        return _draw(faults.seed, kind, event_ids) < faults.rate(kind)

    missing = drawn(MISSING)
    late = drawn(LATE) & ~missing
    out_of_order = drawn(OUT_OF_ORDER) & ~missing & ~late
    size = _draw(faults.seed, "size", event_ids)
    delay = np.where(late, faults.late_ms * (1 + size), np.where(out_of_order, 1 + faults.out_of_order_ms * size, 0))
    echo = delay + 1 + faults.duplicate_ms * _draw(faults.seed, "echo", event_ids)
    damage = _draw(faults.seed, "damage", event_ids) * len(DAMAGES)
    bound = np.where(out_of_order, faults.out_of_order_ms, np.iinfo(np.int64).max)
    return Affected(
        missing=missing,
        duplicate=drawn(DUPLICATE) & ~missing,
        out_of_order=out_of_order,
        late=late,
        corrupt=drawn(CORRUPT) & ~missing,
        delay=np.minimum(delay.astype(np.int64), bound),
        echo=echo.astype(np.int64),
        damage=damage.astype(np.int64),
    )


class FaultPlan:
    """Applies declared faults to lanes (``producers.compose.composer.StreamFaults``)."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.disorder_ms = faults.out_of_order_ms if faults.rate(OUT_OF_ORDER) else 0

    def apply(self, lane: Lane) -> tuple[Lane, int]:
        """Return the records to send, and how many distinct events are among them."""
        affected = affected_by(self.faults, lane.rows)
        first = _late_by(lane, affected.delay).select(np.flatnonzero(~affected.missing))
        second = _late_by(lane, affected.echo).select(np.flatnonzero(affected.duplicate))
        return lanes.joined([first, second, damaged_copies(lane, affected)]), len(first)


def damaged_copies(lane: Lane, affected: Affected) -> Lane:
    """Return a damaged copy of every corrupt record of a lane."""
    corrupt = np.flatnonzero(affected.corrupt)
    return _damaged(_late_by(lane, affected.delay).select(corrupt), affected.damage[corrupt])


def _late_by(lane: Lane, delay: Ints) -> Lane:
    return replace(lane, due=lane.due + delay)


def _damaged(lane: Lane, damage: Ints) -> Lane:
    values = [damaged(value, DAMAGES[kind]) for value, kind in zip(lane.values.to_pylist(), damage, strict=True)]
    return replace(lane, values=pa.array(values, pa.binary()))


def damaged(value: bytes, damage: str) -> bytes:
    """Return an event's value with damage that no reader can take for an event of the run."""
    if damage == "truncated":
        return value[: max(1, len(value) // 2)]
    if damage == "binary":
        return b"\xff\xfe" + value[2:]
    if damage == "wrong-version":
        return value.replace(b',"v":1', b',"v":2', 1)
    if damage == "nameless":
        return value.replace(b',"at":', b',"ta":', 1)
    return re.sub(rb'^\{"event_id":\d+', b'{"event_id":%d' % _BEYOND, value)


def _draw(seed: int, salt: str, ids: Ints) -> npt.NDArray[np.float64]:
    """Return a number in [0, 1) per id: the same for the same seed, salt and id, on any machine."""
    start = int.from_bytes(hashlib.sha256(f"{seed}/{salt}".encode()).digest()[:8], "little")
    with np.errstate(over="ignore"):
        mixed = (ids.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(start)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
