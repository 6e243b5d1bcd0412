"""The golden nights: some twenty events each, and the results they must give.

Each night is a folder of three files. ``info.json`` is the record of run.info. ``input.jsonl`` holds the input records
in order of arrival: ``topic`` (base name), ``partition``, ``key`` (null for a mark), ``value`` (the record, in exactly
these bytes) or ``base64`` (a record that is not JSON), ``reason`` for a dead letter, and ``why``, the naive mistake the
record catches. ``expected.jsonl`` holds the final counts, summed over shards and without zeros, and per input topic the
number of distinct events, duplicates and dead letters an engine must report. The expected results were worked out by
hand from docs/architecture.md; the tests check the folds, the oracle and every engine against them.
"""

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from streams.contract.results import Counts
from streams.contract.runinfo import RunInfo, decode_info
from streams.contract.topics import RESULTS_AUDIENCE, RESULTS_PROGRESS, Topics
from streams.errors import UsageError

FOLDER = Path(__file__).parent
NIGHTS = ("doors", "waiting", "thread", "entry", "clients", "edges")
OF_OPTIONAL = {"entry": "durations", "clients": "breakdowns"}
"""The nights of counts that an engine need not publish."""
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
    reason: str = ""
    """Why it is a dead letter, one of ``streams.contract.events.REASONS``; empty for an event or a mark of the run."""


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
        records = tuple(r if r.key else replace(r, value=r.value.replace(old, new)) for r in self.records)
        return GoldenNight(self.name, info, records, self.expected)


class _Value(msgspec.Struct):
    at: Annotated[int, Meta(ge=0)]


class _Line(msgspec.Struct):
    topic: str
    partition: int
    key: str | None
    value: msgspec.Raw = msgspec.Raw()
    base64: str = ""
    reason: str = ""

    def record(self) -> bytes:
        """Return the record's bytes."""
        return b64decode(self.base64) if self.base64 else bytes(self.value)


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
    records = tuple(_records((folder / "input.jsonl").read_bytes(), info.start))
    return GoldenNight(name, info, records, _expected((folder / "expected.jsonl").read_bytes()))


def _records(lines: bytes, start: int) -> Iterator[InputRecord]:
    for line in lines.splitlines():
        one = msgspec.json.decode(line, type=_Line)
        key = None if one.key is None else one.key.encode()
        at = start if one.reason else msgspec.json.decode(one.value, type=_Value).at
        yield InputRecord(one.topic, one.partition, key, one.record(), at, one.reason)


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
