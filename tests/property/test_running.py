"""Prefix sums of one room against a dense table with an entry for every window."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.read.ledger import Grid, Ledger, Running
from streams.read.steps import Ints

COUNTS = ("joins", "drops")
parts = st.lists(
    st.dictionaries(
        st.tuples(st.integers(0, 11), st.integers(0, len(COUNTS) - 1)), st.integers(0, 9), min_size=1, max_size=12
    ),
    max_size=4,
)
"""What is published between two views: values by window and count; a later one replaces an earlier one."""


def read(published: list[dict[tuple[int, int], int]], apart: int) -> tuple[Running, Ints]:
    """Return the prefix sums by a ledger that is asked after each part, and those of a dense table."""
    windows = 12 * apart
    ledger, table = Ledger(Grid(0, 1, windows), ["room"], COUNTS), np.zeros((len(COUNTS), windows), np.int64)
    version = 0
    for part in published:
        for (window, number), value in part.items():
            table[number, window * apart] = value
            version += 1
            counts = {name: int(n) for name, n in zip(COUNTS, table[:, window * apart], strict=True) if n}
            ledger.put(window * apart, "room", "0", version, counts)
        ledger.running("room")
    return ledger.running("room"), np.concatenate((np.zeros((2, 1), np.int64), table.cumsum(axis=1)), axis=1)


@given(parts, parts, st.sampled_from([1, 50]), st.integers(0, 12))
def test_sums_are_those_of_a_dense_table(
    one: list[dict[tuple[int, int], int]], other: list[dict[tuple[int, int], int]], apart: int, until: int
) -> None:
    """Of windows side by side and far apart: every sum, weighted ones, and how far two rooms are apart."""
    until *= apart
    (mine, dense), (yours, other_dense) = read(one, apart), read(other, apart)
    every = np.arange(dense.shape[1])
    for number, count in enumerate(COUNTS):
        assert mine.column(count)[every].tolist() == dense[number].tolist()
        assert mine.total(count, until) == dense[number, until]
        assert mine.whole(count) == dense[number, -1]
    assert mine.weighted({"drops": -2, "joins": 1})[every].tolist() == (dense[0] - 2 * dense[1]).tolist()
    apart_now = (dense - other_dense)[:, : until + 1]
    gaps = mine.gaps(yours, len(COUNTS), until)
    assert gaps[:, -1].tolist() == apart_now[:, -1].tolist()
    assert np.abs(gaps).max() == np.abs(apart_now).max()
    assert np.abs(np.diff(gaps)).sum() == np.abs(np.diff(apart_now)).sum()
    assert mine.same(yours, len(COUNTS), until) == (not apart_now.any())
