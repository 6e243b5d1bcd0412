"""Tables with a row for each key that is there, against dense arrays with one for each key that could be."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.fold.times import PeopleFirsts
from streams.fold.windows import WindowCounts
from streams.kernels.rows import rows_of, with_room

WINDOWS, NAMES, KINDS = 40, 3, 2
counted = st.tuples(st.integers(0, WINDOWS - 1), st.integers(0, NAMES - 1), st.lists(st.integers(-9, 9), min_size=2))
keys = st.lists(st.one_of(st.integers(0, 50), st.integers(0, (1 << 62) - 1)), max_size=60)


@given(keys, st.integers(1, 60))
def test_a_key_keeps_the_row_it_got_first(wanted: list[int], cut: int) -> None:
    """Rows are numbered in the order in which keys come, before and after the index grows."""
    rows: dict[int, int] = {}
    expected = [rows.setdefault(key, len(rows)) for key in wanted]
    small = with_room(None, max(1, len(wanted[:cut])))
    found = np.empty(len(wanted), np.int64)
    rows_of(small, np.array(wanted[:cut], np.int64), found[:cut])
    grown = with_room(small, len(small.keys) + max(1, len(wanted)))
    rows_of(grown, np.array(wanted[cut:], np.int64), found[cut:])
    assert found.tolist() == expected
    assert grown.keys[: grown.used[0]].tolist() == list(rows)


@given(st.lists(counted, max_size=30), st.data())
def test_counts_by_window_and_name_are_those_of_a_dense_table(
    changes: list[tuple[int, int, list[int]]], data: st.DataObject
) -> None:
    """What is loaded, taken, given back and saved is what a table of all windows and names holds."""
    sparse = WindowCounts(NAMES, KINDS, 1 << data.draw(st.sampled_from([20, 40])))
    dense = np.zeros((WINDOWS, NAMES, KINDS), np.int64)
    for window, name, counts in changes:
        row = sparse.load(np.array([window]), np.array([name]), np.array([counts[:KINDS]]))
        dense[window, name] = counts[:KINDS]
        sparse.table.unpublished[row] = sparse.table.unsaved[row] = True
    touched = sorted({(window, name) for window, name, _ in changes})
    published, token = sparse.take_unpublished()
    assert list(zip(published.window.tolist(), published.name.tolist(), strict=True)) == touched
    assert (published.counts == dense[published.window, published.name]).all()
    assert not len(sparse.take_unpublished()[1])
    sparse.not_published(token)
    assert sorted(sparse.take_unpublished()[1].tolist()) == sorted(token.tolist())
    changed, everything = sparse.take_unsaved(everything=False), sparse.take_unsaved(everything=True)
    assert changed.row.tolist() == everything.row.tolist() == published.row.tolist()
    assert not len(sparse.take_unsaved(everything=False).row)


def test_a_year_of_ten_thousand_rooms_takes_the_memory_of_what_happened() -> None:
    """1,000 cells anywhere among 63 billion take less than 1 MiB, and so do 1,000 first joins."""
    rng = np.random.default_rng(1)
    windows, names, people = rng.integers(0, 6_307_200, 1_000), rng.integers(0, 10_001, 1_000), np.arange(1_000)
    counts, firsts = WindowCounts(10_001, 10, 1_000), PeopleFirsts(10_001, 31_536_000_000)
    counts.load(windows, names, np.ones((1_000, 10), np.int64))
    firsts.load(people, names.astype(np.int32), windows)
    for table in (counts.table, firsts.table):
        arrays = [*table.rows[:2], *(part for part in table if isinstance(part, np.ndarray))]
        assert sum(array.nbytes for array in arrays) < 1 << 20
    assert len(firsts.take_unsaved(everything=True)[0]) == 1_000
