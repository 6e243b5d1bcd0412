"""A short run of the differential fuzz: strange records end no engine, and all engines agree with the oracle."""

from itertools import islice

import pytest

from benchmarks.fuzz import INFO, rounds
from benchmarks.fuzzing.engines import ENGINES, Counting, Outcome, expected
from benchmarks.fuzzing.fetches import Fetch
from streams.contract.runinfo import RunInfo
from streams.contract.topics import PRESENCE

ROUNDS = 12


@pytest.mark.parametrize("seed", [1, 2])
def test_every_engine_counts_strange_records_as_the_contract_says(seed: int) -> None:
    """Dead letters and their reasons, duplicates, marks and counts are those of the naive oracle."""
    found = list(islice(rounds(seed, tuple(ENGINES)), ROUNDS))
    assert [f"--seed {seed} --round {one.number}: {one.fault}" for one in found if one.fault] == []
    assert any(one.fetched.aborted for one in found)
    assert {reason for one in found for _, reason in expected(INFO, one.topic, one.fetched).dead_letters} == {
        "not_json", "wrong_shape", "wrong_version", "out_of_range",
    }  # fmt: skip


def test_a_seed_and_a_number_make_the_same_round() -> None:
    """So that a disagreement can be repeated alone, whatever came before it."""
    third = next(islice(rounds(5, ()), 3, None))
    assert next(rounds(5, (), first=3)) == third


def _one_too_many(info: RunInfo, topic: str, fetched: Fetch) -> Outcome:
    wanted = expected(INFO, topic, fetched)
    return wanted._replace(events=wanted.events + 1)


def _ended(info: RunInfo, topic: str, fetched: Fetch) -> Outcome:
    raise ValueError(f"no {PRESENCE}")


@pytest.mark.parametrize(("engine", "fault"), [(_one_too_many, "bad: events: expected"), (_ended, "bad: ValueError")])
def test_a_wrong_count_and_a_crash_are_faults(monkeypatch: pytest.MonkeyPatch, engine: Counting, fault: str) -> None:
    """Each is named with the engine and what differs."""
    monkeypatch.setitem(ENGINES, "bad", engine)
    assert next(rounds(1, ("bad",))).fault.startswith(fault)
