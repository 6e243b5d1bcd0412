"""Delta debugging: what is left is the fewest items that still fail, whatever made them fail."""

from collections.abc import Callable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from joinstorm.conformance.shrinking import minimal


def first_with(needed: set[int]) -> tuple[list[Sequence[int]], Callable[[Sequence[Sequence[int]]], int | None]]:
    """Return the candidates tried, and a function that finds the first with all needed items."""
    tried: list[Sequence[int]] = []

    def first_failing(candidates: Sequence[Sequence[int]]) -> int | None:
        for index, candidate in enumerate(candidates):
            tried.append(candidate)
            if needed <= set(candidate):
                return index
        return None

    return tried, first_failing


@given(st.sets(st.integers(0, 199), max_size=6))
def test_exactly_the_needed_items_are_left_in_order(needed: set[int]) -> None:
    """Of two hundred items, with few tries."""
    tried, first_failing = first_with(needed)
    assert minimal(range(200), first_failing) == sorted(needed)
    assert len(tried) < 600


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(1, 5))
def test_nothing_can_be_removed_from_what_is_left(marked: list[bool], least: int) -> None:
    """Also where any so many of some items make it fail."""
    items = list(range(len(marked)))

    def fails(candidate: Sequence[int]) -> bool:
        return sum(marked[item] for item in candidate) >= least

    def first_failing(candidates: Sequence[Sequence[int]]) -> int | None:
        return next((index for index, one in enumerate(candidates) if fails(one)), None)

    if not fails(items):
        return
    left = minimal(items, first_failing)
    assert fails(left)
    assert not any(fails([other for other in left if other != item]) for item in left)
