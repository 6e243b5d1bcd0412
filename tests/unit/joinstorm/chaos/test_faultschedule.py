"""Schedules of faults: drawn, written, read, shrunk."""

from collections.abc import Sequence

import pytest

from joinstorm.chaos.faultschedule import CLUSTER, NETWORK, OUTAGES, Fault, FaultKind, draw, parse, require, text
from joinstorm.chaos.outcome import loss_of
from joinstorm.chaos.shrink import shrink
from joinstorm.cli import main
from streams.errors import UsageError
from streams.read.derive import FinalCounts


@pytest.mark.parametrize("seed", range(50))
def test_a_drawn_schedule_reads_back(seed: int) -> None:
    """Every seed gives at least three faults in time order, the same each time, and their text gives them back."""
    faults = draw(seed)
    assert len(faults) >= 3
    assert faults == sorted(faults) == draw(seed) == parse(text(faults))
    assert sum(fault.kind in {FaultKind.STOP_BROKER, FaultKind.KILL_BROKER} for fault in faults) <= 1


def test_fifty_seeds_draw_every_kind() -> None:
    """Every kind of fault is drawn, those of a cluster and of the network only where they can be injected."""
    alone = set(FaultKind) - {*CLUSTER, *NETWORK}
    assert {fault.kind for seed in range(50) for fault in draw(seed)} == alone
    both = {fault.kind for seed in range(50) for fault in draw(seed, brokers=3, network=True)}
    assert both == set(FaultKind)


@pytest.mark.parametrize("seed", range(50))
def test_a_cluster_and_its_network_fail_in_every_schedule(seed: int) -> None:
    """Each has one fault of both at least, two brokers that leave at most, and reads back."""
    faults = draw(seed, brokers=3, network=True)
    kinds = [fault.kind for fault in faults]
    assert faults == sorted(faults) == draw(seed, brokers=3, network=True) == parse(text(faults))
    assert set(kinds) & set(CLUSTER)
    assert set(kinds) & set(NETWORK)
    assert sum(kind in OUTAGES for kind in kinds) <= 2
    assert kinds.count(FaultKind.HALF_OPEN) <= 1
    require(faults, 3, True)


def test_a_seed_means_the_same_without_the_new_options() -> None:
    """One broker and a sound network have the schedules their seeds always had."""
    assert text(draw(3)) == "0.11:kill-broker:0.8,0.30:kill-worker,0.74:remove-worker"


@pytest.mark.parametrize(
    ("given", "text_shown"),
    [
        ("0.5:kill-worke", "did you mean 'kill-worker'"),
        ("0.5:flood", r"unknown kind 'flood'\. Known: kill-worker"),
        ("1.5:kill-worker", "expected a number from 0 to 1"),
        ("x:kill-worker", "share of the events 'x'"),
        ("0.5:kill-worker:3", "takes no seconds"),
        ("0.5:freeze-worker:900", "expected a number from 0 to 60"),
        (" , ", "no fault in ' , '"),
    ],
)
def test_an_impossible_fault_is_named(given: str, text_shown: str) -> None:
    """The error names the fault and what is allowed."""
    with pytest.raises(UsageError, match=text_shown):
        parse(given)


def test_shrinking_leaves_only_the_faults_that_matter() -> None:
    """Of five faults only the two that fail together are left."""
    faults = [Fault(share / 10, FaultKind.KILL_WORKER) for share in range(1, 6)]

    def fails(some: Sequence[Fault]) -> bool:
        return {faults[1], faults[3]} <= set(some)

    assert shrink(faults, fails) == [faults[1], faults[3]]


@pytest.mark.parametrize(
    ("options", "text_shown"),
    [
        (["--faults", "0.5:flood"], "unknown kind 'flood'. Known: kill-worker, freeze-worker"),
        (["--faults", ""], "no fault in ''"),
        (["--faults", "0.5:kill-leader"], "fault '0.50:kill-leader:3': kill-leader needs --brokers 3 or more"),
        (["--faults", "0.5:kill-leader", "--brokers", "2"], "kill-leader needs --brokers 3 or more"),
        (["--faults", "0.5:half-open", "--brokers", "3"], "fault '0.50:half-open': half-open needs --network"),
        (["--fault", "hail=0.1"], "unknown fault 'hail'. Known: duplicate"),
    ],
)
def test_an_unknown_fault_is_refused_before_anything_starts(
    options: list[str], text_shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and the text names what is allowed."""
    assert main(["chaos", *options]) == 2
    assert text_shown in capsys.readouterr().err


def test_loss_is_counted_in_events() -> None:
    """What is missing and what is there twice, of counts every event is in once; sums over people are left out."""
    truth = FinalCounts(
        audience={(0, "hall"): {"attempts": 10, "joins": 6, "arrivals": 10}, (5, "hall"): {"leaves": 4}},
        reaction={(0, "launch"): {"posts": 5, "hashtag:x": 5}, (0, "*"): {"first_authors": 5}},
        estimates={},
    )
    counted = FinalCounts(
        audience={(0, "hall"): {"attempts": 13, "joins": 4}, (9, "hall"): {"drops": 1}},
        reaction={(0, "launch"): {"posts": 5}},
        estimates={},
    )
    loss = loss_of(counted, truth)
    assert (loss.events, loss.lost, loss.twice) == (25, 6, 4)
    assert str(loss) == "6 of 25 events lost (24.0%), 4 counted twice"
    assert str(loss_of(truth, truth)) == "0 of 25 events lost (0.0%), 0 counted twice"
