"""Shares of nights, and the processes that work them off."""

import os
from collections.abc import Sequence
from typing import Any

import pytest

from joinstorm.alerts.workers import LEAST, SHARES, Workers, processors, shares, stopping


def process_of(share: Sequence[int]) -> tuple[int, int]:
    """Return the sum of a share, and which process made it."""
    return sum(share), os.getpid()


def test_shares_are_small_and_complete() -> None:
    """A few for every processor, none smaller than what another process is worth, nothing lost."""
    numbers = list(range(1000))
    cut = shares(numbers)
    assert [one for share in cut for one in share] == numbers
    assert len(cut) <= SHARES * processors()
    assert len(shares(numbers[: LEAST + 1])) == 2
    assert shares([]) == []


def test_a_single_share_is_worked_off_here() -> None:
    """And none at all needs no process either."""
    with Workers() as workers:
        assert list(workers.results(process_of, [[1, 2]])) == [(0, (3, os.getpid()))]
        assert list(workers.results(process_of, [])) == []
    assert not stopping()


def test_several_shares_go_to_other_processes() -> None:
    """Every result says which share it is of; an error in one reaches the caller."""
    with Workers() as workers:
        found = dict(workers.results(process_of, [[1], [2], [3]]))
        assert {number: total for number, (total, _) in found.items()} == {0: 1, 1: 2, 2: 3}
        assert os.getpid() not in {process for _, process in found.values()}
    wrong: list[Any] = [[1], ["a"]]
    with pytest.raises(TypeError), Workers() as workers:
        list(workers.results(process_of, wrong))
