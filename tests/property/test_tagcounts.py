"""Counts in chains of links: right whatever rows and tags take turns, and whatever is put back in between."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.fold.tagcounts import TagCounts
from streams.kernels.counting import LAST_LINKS, TagTable, count_tag
from streams.kernels.jit import compiled
from streams.kernels.record import Ints

KNOWN = tuple(f"t{number}" for number in range(3))
ROWS = (0, 1, LAST_LINKS, 2 * LAST_LINKS, LAST_LINKS + 1)
"""Some of them share what is remembered of the links found last."""


@compiled
def _count_all(table: TagTable, rows: Ints, tags: Ints, amounts: Ints) -> None:
    for place in range(len(rows)):
        count_tag(table, rows[place], tags[place], amounts[place])


_EVENTS = st.lists(
    st.tuples(st.sampled_from(ROWS), st.integers(0, len(KNOWN) - 1), st.integers(-1, 2)), min_size=1, max_size=40
)


@given(st.lists(_EVENTS, min_size=1, max_size=4), st.booleans())
def test_counts_are_those_of_a_plain_counter(chunks: list[list[tuple[int, int, int]]], reload: bool) -> None:
    """Rows that share an entry push each other out of it; a restored row has new links."""
    counts, expected = TagCounts(KNOWN), Counter[tuple[int, str]]()
    for chunk in chunks:
        counts.make_room(max(ROWS) + 1, len(chunk))
        _count_all(counts.table, *np.array(chunk, np.int64).T.copy())
        for row, tag, amount in chunk:
            expected[row, KNOWN[tag]] += amount
        assert _found(counts) == {key: count for key, count in expected.items() if count}
        if reload:
            rows = np.array(ROWS, np.int64)
            begins, tags, amounts = counts.of(rows)
            counts.load(rows, begins.tolist(), [KNOWN[tag] for tag in tags.tolist()], amounts.tolist())


def _found(counts: TagCounts) -> dict[tuple[int, str], int]:
    begins, tags, amounts = counts.of(np.array(ROWS, np.int64))
    return {
        (row, counts.tags[tags[place]]): int(amounts[place])
        for number, row in enumerate(ROWS)
        for place in range(begins[number], begins[number + 1])
    }
