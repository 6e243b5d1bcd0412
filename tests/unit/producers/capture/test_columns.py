"""Records keep every byte from the batch of a topic to the rows of a capture, and from there to a lane."""

from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.capture import columns
from producers.capture.columns import batch_of, checksum, encoded_headers
from producers.capture.digest import Digester
from streams.kafka import headers, rawbatch
from tests.captures import AT, Row, encoded, fetched, rows_of

_blobs = st.none() | st.binary(max_size=20)
_names = st.text(max_size=5)


def _numbered(found: list[tuple[Any, ...]]) -> list[Row]:
    """Return rows whose offsets are the sums of their gaps."""
    ends = accumulate(row[0] for row in found)
    return [Row(100 + end, *row[1:]) for end, row in zip(ends, found, strict=True)]


_headers = st.lists(st.tuples(_names, _blobs), max_size=3).map(tuple)
_row = st.tuples(st.integers(1, 3), st.integers(AT, AT + 10**6), _blobs, _blobs, _headers)
_rows = st.lists(_row, min_size=1, max_size=12).map(_numbered)


@given(_rows, _rows, st.sampled_from([0, 1, 2, 3, 4]))
def test_rows_are_the_records(first: list[Row], second: list[Row], compression: int) -> None:
    """Whatever keys, values, headers, gaps and compression: a capture's rows are what was written."""
    later = [row._replace(offset=row.offset + 1_000) for row in second]
    found = fetched(encoded(first, compression) + encoded(later, compression), first[0].offset)
    assert list(rows_of(batch_of("t", 3, found))) == [*first, *later]


@given(_rows)
def test_without_kernels_too(rows: list[Row]) -> None:
    """Records that aiokafka reads one by one become the same rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rawbatch, "COMPILED", False)
        patch.setattr(columns, "COMPILED", False)
        assert list(rows_of(batch_of("t", 0, fetched(encoded(rows), rows[0].offset)))) == rows


@given(_rows, st.integers(0, 11))
def test_headers_go_back_as_they_came(rows: list[Row], begin: int) -> None:
    """Headers of any part of a batch are encoded as a record has them, or not at all where there are none."""
    batch = batch_of("t", 0, fetched(encoded(rows), rows[0].offset)).slice(begin)
    found = encoded_headers(batch.column("headers"))
    expected = [headers.encode(row.headers) for row in rows[begin:]]
    assert (found.to_pylist() if found is not None else [headers.NONE] * len(expected)) == expected


@given(_rows, st.integers(1, 11))
def test_digests_do_not_depend_on_batches(rows: list[Row], cut: int) -> None:
    """The digest of a topic is that of its records in their order, wherever its batches begin."""
    batch = batch_of("t", 0, fetched(encoded(rows), rows[0].offset))
    whole, parts = Digester(), Digester()
    whole.add("t", 0, batch)
    for part in (batch.slice(0, cut), batch.slice(cut)):
        parts.add("t", 0, part)
    assert whole.digests(["t"]) == parts.digests(["t"])


@given(_rows, st.data())
def test_every_change_changes_digest_and_checksum(rows: list[Row], data: st.DataObject) -> None:
    """A record with another key, value, header or time gives another digest; another time alone the same content."""
    place = data.draw(st.integers(0, len(rows) - 1))
    row = rows[place]
    changed = data.draw(
        st.sampled_from(
            [
                row._replace(at=row.at + 1),
                row._replace(key=b"" if row.key is None else None),
                row._replace(value=(row.value or b"") + b"\0"),
                row._replace(headers=(*row.headers, ("", None))),
            ]
        )
    )
    batches = [
        batch_of("t", 0, fetched(encoded(some), rows[0].offset))
        for some in (rows, [*rows[:place], changed, *rows[place + 1 :]])
    ]
    assert checksum(batches[0]) != checksum(batches[1])
    found = []
    for batch in batches:
        digester = Digester()
        digester.add("t", 0, batch)
        found.append(digester.digests(["t"])["t"])
    assert found[0].digest != found[1].digest
    assert (found[0].content == found[1].content) == (changed.at != row.at)


@given(_rows, st.integers(0, 12), st.integers(0, 1_200))
def test_records_are_cut_by_offset_and_number(rows: list[Row], most: int, end: int) -> None:
    """Before an offset, and no more than so many; the next offset is the one after the last that is covered."""
    (records,) = fetched(encoded(rows), rows[0].offset)
    some = records.until(end, most)
    expected = [row for row in rows if row.offset < end][:most]
    assert len(some) == len(expected)
    assert list(rows_of(batch_of("t", 0, [some]))) == expected
    assert all(row.offset < some.next_offset for row in expected)
