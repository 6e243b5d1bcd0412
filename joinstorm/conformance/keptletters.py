"""Which dead letters an engine must keep, and what is wrong with those it has kept; no I/O."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from streams.contract.runinfo import RunInfo
from streams.contract.topics import DEAD_LETTERS
from streams.golden import GoldenNight

NAMED: Final = 3
"""How many with a wrong reason are named."""


def expected_dead_letters(night: GoldenNight, info: RunInfo) -> dict[str, tuple[str, bytes]]:
    """Return reason and bytes of every dead letter of a night, by the key it must have; each partition begins at 0."""
    offsets: Counter[tuple[str, int]] = Counter()
    found = {}
    for record in night.records:
        place = (record.topic, record.partition)
        if record.reason:
            key = f"{info.topics[record.topic]}[{record.partition}]@{offsets[place]}"
            found[key] = (record.reason, record.value)
        offsets[place] += 1
    return found


def wrong_dead_letters(wanted: Mapping[str, tuple[str, bytes]], kept: Mapping[str, tuple[str, bytes]]) -> Iterator[str]:
    """Yield how the kept dead letters, by key, differ from the expected ones."""
    both = wanted.keys() & kept.keys()
    if len(both) < len(wanted):
        first = next(key for key in wanted if key not in kept)
        yield f"{len(both)} of {len(wanted)} kept on {DEAD_LETTERS}; missing: {first} ({wanted[first][0]})"
    if extra := sorted(kept.keys() - wanted.keys()):
        yield f"{len(extra)} records on {DEAD_LETTERS} are no dead letters, the first has the key {extra[0]!r}"
    reasons = [key for key in wanted if key in both and wanted[key][0] != kept[key][0]]
    for key in reasons[:NAMED]:
        yield f"{key} is kept as {kept[key][0]!r}, expected {wanted[key][0]!r}: {wanted[key][1][:120]!r}"
    if len(reasons) > NAMED:
        yield f"and {len(reasons) - NAMED} more with a wrong reason"
    other = [key for key in wanted if key in both and wanted[key][1] != kept[key][1]]
    if other:
        yield f"{len(other)} dead letters are kept with other bytes, the first is {other[0]}"
