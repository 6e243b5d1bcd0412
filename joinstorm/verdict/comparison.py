"""Compares final counts with the truth, count by count, and names every difference."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import Final, TypeAlias

import msgspec

from streams.contract.breakdowns import MEMBERS, is_breakdown
from streams.contract.durations import bin_of, is_duration
from streams.contract.names import ALL, OTHER
from streams.contract.results import AUDIENCE_COUNTS, HASHTAG, REACTION_COUNTS, Counts, digest, is_optional
from streams.contract.runinfo import RunInfo
from streams.read.derive import FinalCounts, Rows

MAX_NAMED: Final = 50
"""How many differences are listed; all of them are counted."""
NO_COUNTS: Final[Counts] = {}
IsCount: TypeAlias = Callable[[str], bool]
"""Whether a count is one of some kind."""
OPTIONAL: Final[Mapping[str, IsCount]] = {"durations": is_duration, "breakdowns": is_breakdown}
"""The kinds of counts of the audience that an engine need not publish."""


class Mismatch(msgspec.Struct, frozen=True):
    """One count that differs from the truth."""

    table: str
    """audience or reaction."""
    window: int
    """Start of the window, ms since the epoch."""
    time: str
    """The same as ISO 8601, UTC."""
    phase: str
    name: str
    """The space or subject."""
    count: str
    expected: int
    found: int
    note: str = ""
    """What is wrong besides the number: no such window, space, subject or count; a negative count."""

    def __str__(self) -> str:
        note = f" ({self.note})" if self.note else ""
        where = f"{self.time} {self.phase}: {self.table} {self.name} {self.count}"
        return f"{where}: expected {self.expected}, found {self.found}{note}"


class OptionalComparison(msgspec.Struct, frozen=True):
    """Counts that an engine need not publish, durations or breakdowns; they are not part of the digest."""

    published: bool
    """Whether the engine has published any; if not, none is compared."""
    compared: int
    """Number of counts that at least one side has."""
    mismatches: int
    """How many of them differ; they are among the mismatches of all counts."""


class Comparison(msgspec.Struct, frozen=True):
    """The result of a comparison."""

    digest: str
    truth_digest: str
    records_compared: int
    """Number of counts that at least one side has, without durations and breakdowns."""
    mismatches: int
    by_count: dict[str, int]
    """Mismatches by ``table.count``; the counts of a family (hashtags, durations, breakdowns) as one."""
    named: tuple[Mismatch, ...]
    """The first ``MAX_NAMED``, in order of time."""
    durations: OptionalComparison
    breakdowns: OptionalComparison


def compare(engine: FinalCounts, truth: FinalCounts, info: RunInfo) -> Comparison:
    """Compare final counts, count by count; durations and breakdowns only if the engine has published some.

    Args:
        engine: The engine's counts.
        truth: The oracle's counts.
        info: The run; it has the phases, spaces and subjects.
    """
    published = {kind: _publishes(engine, is_one) for kind, is_one in OPTIONAL.items()}
    truth = without(truth, [is_one for kind, is_one in OPTIONAL.items() if not published[kind]])
    found = [mismatch for mismatch in _differences(engine, truth, info) if mismatch.expected != mismatch.found]
    found.sort(key=lambda mismatch: (mismatch.window, mismatch.table, mismatch.name, mismatch.count))
    families = Counter(f"{one.table}.{_family(one.count)}" for one in found)
    optional = {
        kind: OptionalComparison(
            published[kind],
            _size(only(engine, is_one).audience, only(truth, is_one).audience),
            sum(is_one(one.count) for one in found),
        )
        for kind, is_one in OPTIONAL.items()
    }
    everything = _size(engine.audience, truth.audience) + _size(engine.reaction, truth.reaction)
    return Comparison(
        digest=digest(engine.audience, engine.reaction),
        truth_digest=digest(truth.audience, truth.reaction),
        records_compared=everything - sum(one.compared for one in optional.values()),
        mismatches=len(found),
        by_count=dict(families.most_common()),
        named=tuple(found[:MAX_NAMED]),
        **optional,
    )


def _publishes(engine: FinalCounts, is_one: IsCount) -> bool:
    return any(map(is_one, chain.from_iterable(engine.audience.values())))


def only(counts: FinalCounts, wanted: IsCount) -> FinalCounts:
    """Return those counts of the audience that are wanted, and no others."""
    return FinalCounts(_kept(counts.audience, wanted), {}, {})


def without(counts: FinalCounts, unwanted: Iterable[IsCount] = tuple(OPTIONAL.values())) -> FinalCounts:
    """Return all counts but some of the audience; without those that an engine need not publish, if none are given."""
    kinds = tuple(unwanted)
    return replace(counts, audience=_kept(counts.audience, lambda count: not any(is_one(count) for is_one in kinds)))


def _kept(rows: Rows, wanted: IsCount) -> Rows:
    kept = ((key, {name: n for name, n in counts.items() if wanted(name)}) for key, counts in rows.items())
    return {key: counts for key, counts in kept if counts}


def _family(count: str) -> str:
    return count.partition(":")[0] if count.startswith(HASHTAG) or is_optional(count) else count


def _size(engine: Rows, truth: Rows) -> int:
    return sum(len(engine.get(key, NO_COUNTS).keys() | truth.get(key, NO_COUNTS).keys()) for key in engine | truth)


def _differences(engine: FinalCounts, truth: FinalCounts, info: RunInfo) -> Iterator[Mismatch]:
    for table, counted, true in (
        ("audience", engine.audience, truth.audience),
        ("reaction", engine.reaction, truth.reaction),
    ):
        for key in counted | true:
            found, expected = counted.get(key, NO_COUNTS), true.get(key, NO_COUNTS)
            if found == expected:
                continue
            for count in found | expected:
                yield _mismatch(table, key, count, (expected.get(count, 0), found.get(count, 0)), info)


def _mismatch(table: str, key: tuple[int, str], count: str, values: tuple[int, int], info: RunInfo) -> Mismatch:
    window, name = key
    expected, found = values
    inside = info.start <= window <= info.end
    return Mismatch(
        table=table,
        window=window,
        time=iso(window),
        phase=info.phase_at(window) if inside else "outside the night",
        name=name,
        count=count,
        expected=expected,
        found=found,
        note=", ".join(_oddities(table, key, count, found, info)),
    )


def _oddities(table: str, key: tuple[int, str], count: str, found: int, info: RunInfo) -> Iterator[str]:
    window, name = key
    if not info.start <= window <= info.end or (window - info.start) % info.window_ms:
        yield "no such window"
    names = (*info.spaces, ALL) if table == "audience" else (*(r.subject for r in info.subjects), OTHER, ALL)
    if name not in names:
        yield "no such space" if table == "audience" else "no such subject"
    known = AUDIENCE_COUNTS if table == "audience" else REACTION_COUNTS
    family = count.startswith(HASHTAG) if table == "reaction" else _is_bin(count) or _is_member(count)
    if count not in known and not family:
        yield "no such count"
    if found < 0:
        yield "negative"


def _is_bin(count: str) -> bool:
    begin = count.partition(":")[2]
    return is_duration(count) and begin.isdecimal() and str(bin_of(int(begin))) == begin


def _is_member(count: str) -> bool:
    family, colon, member = count.partition(":")
    return member in MEMBERS.get(family + colon, ())


def iso(at: int) -> str:
    """Return event time (ms) as ISO 8601, UTC."""
    try:
        return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{at} ms"
