"""Bins of durations: four to a doubling, none overlapping, none missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.durations import TIME_TO_EXIT, TIME_TO_JOIN, TIME_TO_REJOIN, bin_end, bin_of, is_duration
from streams.contract.results import digest
from streams.kernels.durations import LABELS, label
from tests.oracle import leading_digits


@pytest.mark.parametrize(
    ("duration", "begin", "end"),
    [(0, 0, 1), (7, 7, 8), (8, 8, 10), (9, 8, 10), (15, 14, 16), (16, 16, 20), (60_000, 57_344, 65_536)],
)
def test_a_bin_holds_the_durations_with_the_same_leading_digits(duration: int, begin: int, end: int) -> None:
    """The bin begins with the three leading binary digits and ends where they change."""
    assert (bin_of(duration), bin_end(begin)) == (begin, end)


@given(st.integers(0, (1 << 53) - 1))
def test_every_duration_is_in_one_bin_of_less_than_a_quarter(duration: int) -> None:
    """A bin begins in itself, the next one begins at its end, and its width is at most a quarter of its begin."""
    begin = bin_of(duration)
    assert begin <= duration < bin_end(begin)
    assert bin_of(begin) == begin == leading_digits(duration)
    assert bin_of(bin_end(begin)) == bin_end(begin)
    assert 4 * (bin_end(begin) - begin) <= begin or bin_end(begin) == begin + 1


@given(st.integers(0, (1 << 53) - 1))
def test_kernels_number_the_same_bins(duration: int) -> None:
    """The number of a duration in a family stands for the count's name."""
    for family, prefix in enumerate((TIME_TO_JOIN, TIME_TO_EXIT, TIME_TO_REJOIN)):
        assert LABELS[label(family, duration)] == f"{prefix}{bin_of(duration)}"


def test_the_digest_leaves_durations_out() -> None:
    """An engine that publishes no durations has the digest of one that does."""
    with_durations = {(0, "*"): {"first_joins": 1, "time_to_join:448": 1}, (5, "room"): {"time_to_rejoin:7": 2}}
    assert digest(with_durations, {}) == digest({(0, "*"): {"first_joins": 1}}, {})
    assert [is_duration(count) for count in ("time_to_exit:0", "joins")] == [True, False]
