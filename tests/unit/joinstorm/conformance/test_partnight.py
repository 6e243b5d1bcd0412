"""Parts of nights: their answers are those of a right engine, and they are written as golden nights are."""

import msgspec
import pytest

from joinstorm.conformance.partnight import files_of, is_mark, part_of
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


def test_a_night_is_written_as_golden_nights_are() -> None:
    """Values in their bytes, what is no JSON in Base64."""
    night = load("edges")
    lines = files_of(night)["input.jsonl"].splitlines()
    assert len(lines) == len(night.records)
    assert night.records[2].value in lines[2]
    assert sum(b'"base64"' in line for line in lines) == 3
    assert b'"first_joins":1' in files_of(night)["expected.jsonl"]
