"""Parts of nights: their answers are those of a right engine, and they are written as golden nights are."""

from dataclasses import replace

import msgspec
import pytest

from joinstorm.conformance.nightmarks import is_mark
from joinstorm.conformance.nights import is_end
from joinstorm.conformance.partnight import ROUNDS, files_of, part_of
from streams.golden import NIGHTS, load


@pytest.mark.parametrize("name", NIGHTS)
def test_the_whole_is_a_part(name: str) -> None:
    """With every record the answers are those worked out by hand."""
    night = load(name)
    whole = part_of(night, frozenset(range(len(night.records))))
    assert whole.records == night.records
    assert whole.expected == night.expected


def test_a_part_has_all_marks_and_ends_that_fit() -> None:
    """Without any event every count is gone, and the end marks announce none."""
    night = load("doors")
    empty = part_of(night, frozenset())
    assert all(is_mark(record) for record in empty.records)
    assert (empty.expected.audience, empty.expected.totals["space.presence"].events) == ({}, 0)
    ends = [msgspec.json.decode(r.value) for r in empty.records if b'"mark":"end"' in r.value]
    assert [end["events"] for end in ends] == [0] * 2 * night.info.partitions


def test_a_part_with_few_marks_keeps_those_next_to_its_events_and_all_ends() -> None:
    """Every partition keeps the same rounds, so that their watermark moves together; the answers stay."""
    night = load("doors")
    times = range(night.info.start, night.info.start + 400 * 60_000, 60_000)
    event = next(place for place, record in enumerate(night.records) if not is_mark(record))
    ends = [record for record in night.records if is_end(record)]
    like = [record for record in night.records if is_mark(record) and not is_end(record)][:4]
    marks = [replace(record, timestamp=at) for at in times for record in like]
    long = replace(night, records=(*marks[:900], night.records[event], *marks[900:], *ends))
    few = part_of(long, frozenset({900}), few_marks=True)
    kept = [record for record in few.records if is_mark(record) and not is_end(record)]
    assert len(kept) <= 4 * (ROUNDS + 2)
    assert len({record.timestamp for record in kept}) * 4 == len(kept)
    assert {times[224], times[225]} <= {record.timestamp for record in kept}
    assert sum(is_end(record) for record in few.records) == 4
    assert few.expected == part_of(long, frozenset({900})).expected


def test_a_night_is_written_as_golden_nights_are() -> None:
    """Values in their bytes, what is no JSON in Base64."""
    night = load("edges")
    lines = files_of(night)["input.jsonl"].splitlines()
    assert len(lines) == len(night.records)
    assert night.records[2].value in lines[2]
    assert sum(b'"base64"' in line for line in lines) == 3
    assert b'"first_joins":1' in files_of(night)["expected.jsonl"]
