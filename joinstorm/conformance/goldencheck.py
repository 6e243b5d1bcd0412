"""Checks a golden night without Kafka: the values an engine would write, one a line, against the expected ones."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from joinstorm.conformance.pointfigures import measure
from streams.contract.progress import Covered, ProgressBook
from streams.contract.results import (
    AudienceResult,
    Progress,
    ReactionResult,
    Result,
    decode_audience,
    decode_progress,
    decode_reaction,
    summed,
)
from streams.errors import ContractError, UsageError, reason
from streams.golden import NIGHTS, GoldenNight, load
from streams.read.derive import FinalCounts

RUN_PREFIX: Final = "golden-"
NAMED: Final = 20
"""How many wrong counts are listed."""


@dataclass(frozen=True)
class GoldenCheck:
    """What a file holds of one golden night.

    Args:
        night: The name of the night.
        compared: Number of counts compared.
        wrong: A line for every difference; empty if the engine is exact on the night.
    """

    night: str
    compared: int
    wrong: tuple[str, ...]


class _Fields(msgspec.Struct):
    run: str = ""
    space: str | None = None
    subject: str | None = None


def check(path: Path) -> list[GoldenCheck]:
    """Compare the results and the progress in a file with the golden nights they are of.

    Raises:
        UsageError: The file cannot be read or has no such records; the text names the line.
    """
    nights: dict[str, list[Result | Progress]] = {}
    for number, line in _lines(path):
        value = _decoded(line, f"{path}:{number}")
        name = value.run.removeprefix(RUN_PREFIX)
        if name not in NIGHTS:
            known = ", ".join(RUN_PREFIX + night for night in NIGHTS)
            raise UsageError(f"{path}:{number}: run: expected one of {known}, found {value.run!r}")
        nights.setdefault(name, []).append(value)
    if not nights:
        raise UsageError(f"{path}: expected a value of results.audience, results.reaction or results.progress a line")
    return [_checked(load(name), values) for name, values in nights.items()]


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UsageError(f"{path}: {reason(error)}") from error
    return ((number, line) for number, line in enumerate(lines, 1) if line.strip())


def _decoded(line: bytes, source: str) -> Result | Progress:
    try:
        fields = msgspec.json.decode(line, type=_Fields)
        if fields.space is not None:
            return decode_audience(line)
        return decode_reaction(line) if fields.subject is not None else decode_progress(line)
    except (msgspec.DecodeError, UnicodeDecodeError, ContractError) as error:
        raise UsageError(f"{source}: {error}") from error


def _checked(night: GoldenNight, values: Iterable[Result | Progress]) -> GoldenCheck:
    known = list(values)
    book = ProgressBook()
    for one in known:
        if isinstance(one, Progress):
            book.put(one)
    audience = summed(one for one in known if isinstance(one, AudienceResult))
    reaction = summed(one for one in known if isinstance(one, ReactionResult))
    expected = FinalCounts(night.expected.audience, night.expected.reaction, {})
    found = measure(FinalCounts(audience, reaction, {}), expected, night.info).comparison
    more = [f"and {found.mismatches - NAMED} more"] if found.mismatches > NAMED else []
    wrong = [*map(str, found.named[:NAMED]), *more, *_wrong_progress(night, book.covered(night.info.partitions))]
    return GoldenCheck(night.name, found.records_compared, tuple(wrong))


def _wrong_progress(night: GoldenNight, covered: Covered) -> Iterator[str]:
    for topic, totals in night.expected.totals.items():
        for kind in ("events", "duplicates", "dead_letters"):
            found, wanted = getattr(covered, kind).get(topic, 0), getattr(totals, kind)
            if found != wanted:
                yield f"progress on {topic}: {kind} {found}, expected {wanted}"
    if covered.missing:
        yield f"no progress with ended for {', '.join(covered.missing)}"
