"""The golden nights: some twenty events each, and the results they must give.

Each night is a folder of three files. ``info.json`` is the record of run.info. ``input.jsonl`` holds the input records
in order of arrival: ``topic`` (base name), ``partition``, ``key`` (null for a mark), ``value``, and ``why``, the naive
mistake the record catches. ``expected.jsonl`` holds the final counts, summed over shards and without zeros, and per
input topic the number of distinct events and duplicates an engine must report. The expected results were worked out by
hand from docs/architecture.md; the tests check the folds, the oracle and every engine against them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from streams.contract.results import Counts
from streams.contract.runinfo import RunInfo, decode_info
from streams.contract.topics import RESULTS_AUDIENCE, RESULTS_PROGRESS, Topics
from streams.errors import UsageError

FOLDER = Path(__file__).parent
NIGHTS = ("doors", "waiting", "thread", "entry")
OF_DURATIONS = "entry"
"""The night of the durations, which an engine need not publish."""
FILES = ("info.json", "input.jsonl", "expected.jsonl")


@dataclass(frozen=True)
class InputRecord:
    """One record of an input topic, as a client sends it."""

    topic: str
    """Base name: ``space.presence`` or ``tweets``."""
    partition: int
    key: bytes | None
    value: bytes
    timestamp: int
    """Event time, milliseconds since the epoch."""


@dataclass(frozen=True)
class EventTotals:
    """The totals an engine's progress must report for one input topic."""

    events: int
    duplicates: int
    dead_letters: int = 0


@dataclass(frozen=True)
class Expected:
    """The final answer: counts by (window, space or subject), and totals by input topic."""

    audience: dict[tuple[int, str], Counts]
    reaction: dict[tuple[int, str], Counts]
    totals: dict[str, EventTotals]


@dataclass(frozen=True)
class GoldenNight:
    """One golden night."""

    name: str
    info: RunInfo
    records: tuple[InputRecord, ...]
    expected: Expected

    def moved(self, run: str, prefix: str = "") -> "GoldenNight":
        """Return the same night with another run id and topic prefix; its marks name the new run."""
        names = Topics(run, prefix)
        topics = {base: names.full(base) for base in self.info.topics}
        info = msgspec.structs.replace(self.info, run=run, prefix=prefix, topics=topics)
        old, new = (f'"run":"{one}"'.encode() for one in (self.info.run, run))
        records = tuple(
            InputRecord(r.topic, r.partition, r.key, r.value if r.key else r.value.replace(old, new), r.timestamp)
            for r in self.records
        )
        return GoldenNight(self.name, info, records, self.expected)


class _Value(msgspec.Struct):
    at: int


class _Line(msgspec.Struct):
    topic: str
    partition: int
    key: str | None
    value: dict[str, object]


class _Outcome(msgspec.Struct):
    topic: str
    window: int = 0
    space: str = ""
    subject: str = ""
    counts: Counts = {}
    input: str = ""
    events: int = 0
    duplicates: int = 0
    dead_letters: int = 0


def load(name: str) -> GoldenNight:
    """Read a golden night.

    Raises:
        UsageError: No golden night has this name; the text lists them.
    """
    if name not in NIGHTS:
        raise UsageError(f"no golden night {name!r}; there are: {', '.join(NIGHTS)}")
    folder = FOLDER / name
    info = decode_info((folder / "info.json").read_bytes())
    records = tuple(_records((folder / "input.jsonl").read_bytes()))
    return GoldenNight(name, info, records, _expected((folder / "expected.jsonl").read_bytes()))


def _records(lines: bytes) -> Iterator[InputRecord]:
    for line in lines.splitlines():
        one = msgspec.json.decode(line, type=_Line)
        at = msgspec.convert(one.value, _Value).at
        key = None if one.key is None else one.key.encode()
        yield InputRecord(one.topic, one.partition, key, msgspec.json.encode(one.value), at)


def _expected(lines: bytes) -> Expected:
    expected = Expected({}, {}, {})
    for line in lines.splitlines():
        one = msgspec.json.decode(line, type=_Outcome)
        if one.topic == RESULTS_PROGRESS:
            expected.totals[one.input] = EventTotals(one.events, one.duplicates, one.dead_letters)
        elif one.topic == RESULTS_AUDIENCE:
            expected.audience[one.window, one.space] = one.counts
        else:
            expected.reaction[one.window, one.subject] = one.counts
    return expected
