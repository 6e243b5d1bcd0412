"""Step functions against dense arrays with a value for every window."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.read.steps import ZERO, Ints, Steps, combined

WINDOWS = 12
changes = st.dictionaries(st.integers(0, WINDOWS - 1), st.integers(-9, 9), max_size=WINDOWS)


def steps(by_window: dict[int, int]) -> Steps:
    """Return the prefix sums of changes."""
    windows = sorted(by_window)
    return Steps(np.array(windows, np.int64), np.cumsum([0, *(by_window[window] for window in windows)]))


def dense(by_window: dict[int, int]) -> Ints:
    """Return the prefix sums of changes over every window."""
    return np.cumsum([0, *(by_window.get(window, 0) for window in range(WINDOWS))])


@given(changes, changes, st.integers(0, WINDOWS))
def test_values_are_those_of_a_dense_array(one: dict[int, int], other: dict[int, int], until: int) -> None:
    """At every window: the value, sums and differences, the peak, the farthest, and the changes so far."""
    every, mine, yours = np.arange(WINDOWS + 1), dense(one), dense(other)
    assert steps(one)[every].tolist() == mine.tolist()
    assert (steps(one) + steps(other))[every].tolist() == (mine + yours).tolist()
    assert (steps(one) - steps(other))[every].tolist() == (mine - yours).tolist()
    known = steps(one).known(until)
    assert known.peak() == (int(mine[: until + 1].max()), int(mine[: until + 1].argmax()))
    assert (known[until], known.farthest()) == (mine[until], np.abs(mine[: until + 1]).max())
    windows, found = known.changed()
    assert dict(zip(windows.tolist(), found.tolist(), strict=True)) == {k: n for k, n in one.items() if n and k < until}


@given(st.lists(st.tuples(changes, st.integers(-2, 2)), max_size=5))
def test_any_number_of_values_is_combined(parts: list[tuple[dict[int, int], int]]) -> None:
    """None are zero, and columns of one table are combined as they are."""
    expected = sum((factor * dense(one) for one, factor in parts), np.zeros(WINDOWS + 1, np.int64))
    found = combined([(steps(one), factor) for one, factor in parts])
    assert found[np.arange(WINDOWS + 1)].tolist() == expected.tolist()
    table = steps({1: 2, 5: -1})
    assert combined([(table, 2), (Steps(table.windows, table.values), 1)])[WINDOWS] == 3 * table[WINDOWS]
    assert ZERO[WINDOWS] == 0
