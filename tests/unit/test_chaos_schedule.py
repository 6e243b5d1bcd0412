"""Schedules of faults: drawn, written, read, shrunk."""

from collections.abc import Sequence

import pytest

from joinstorm.chaos.schedule import Fault, FaultKind, draw, parse, text
from joinstorm.chaos.shrink import shrink
from streams.errors import ScenarioError


@pytest.mark.parametrize("seed", range(50))
def test_a_drawn_schedule_reads_back(seed: int) -> None:
    """Every seed gives at least three faults in time order, the same each time, and their text gives them back."""
    faults = draw(seed)
    assert len(faults) >= 3
    assert faults == sorted(faults) == draw(seed) == parse(text(faults))
    assert sum(fault.kind in {FaultKind.STOP_BROKER, FaultKind.KILL_BROKER} for fault in faults) <= 1


def test_fifty_seeds_draw_every_kind() -> None:
    """No fault is forgotten by the dice."""
    assert {fault.kind for seed in range(50) for fault in draw(seed)} == set(FaultKind)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("0.5:kill-worke", "did you mean 'kill-worker'"),
        ("0.5:flood", "known are kill-worker"),
        ("1.5:kill-worker", "expected a number from 0 to 1"),
        ("x:kill-worker", "share of the events 'x'"),
        ("0.5:kill-worker:3", "takes no seconds"),
        ("0.5:freeze-worker:900", "expected a number from 0 to 60"),
    ],
)
def test_an_impossible_fault_is_named(given: str, words: str) -> None:
    """The error names the fault and what is allowed."""
    with pytest.raises(ScenarioError, match=words):
        parse(given)


def test_shrinking_leaves_only_what_it_takes() -> None:
    """Of five faults only the two that fail together are left."""
    faults = [Fault(share / 10, FaultKind.KILL_WORKER) for share in range(1, 6)]

    def fails(some: Sequence[Fault]) -> bool:
        return {faults[1], faults[3]} <= set(some)

    assert shrink(faults, fails) == [faults[1], faults[3]]
