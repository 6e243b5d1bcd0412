"""The suite can fail: engines with one bug each are caught by the point meant for it, and spared by the others."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from joinstorm.conformance.certificate import PointOutcome, choose, conform, play
from joinstorm.conformance.nights import simulated
from joinstorm.engines.undertest import EngineUnderTest
from streams.golden import load
from streams.kafka.connection import Connection
from tests.conformance.base import JOBS, delete_points, shown_outcome
from tests.conformance.plantedbugs import BUGS, spelled


def mutant_engine(mutant: str, seconds: float = 15.0) -> EngineUnderTest:
    """Return a mutant as the suite takes an engine."""
    return EngineUnderTest(mutant.lower(), ["--engine", spelled(mutant)], seconds=seconds)


Played = dict[tuple[str, str], PointOutcome]


@pytest.fixture(scope="module")
def played(kafka: Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Play every mutant at its two points, several at once, as they wait more than they work."""
    folder = tmp_path_factory.mktemp("mutants")
    night = simulated(folder)

    def one(case: tuple[str, str]) -> PointOutcome:
        mutant, point = case
        return play(choose([point])[0], kafka, mutant_engine(mutant), night, folder / mutant / point)

    cases = [(mutant, point) for mutant, *points in BUGS for point in points]
    with ThreadPoolExecutor(JOBS) as pool:
        outcomes = dict(zip(cases, pool.map(one, cases), strict=True))
    yield outcomes
    delete_points(kafka)


@pytest.mark.integration
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("mutant", "point", "spared"), BUGS, ids=[bug.engine for bug in BUGS])
def test_a_planted_bug_is_caught_where_it_should_be(mutant: str, point: str, spared: str, played: Played) -> None:
    """The point meant for the bug is not exact; another one is."""
    caught, other = played[mutant, point], played[mutant, spared]
    assert caught.status in {"wrong", "failed"}, shown_outcome(caught)
    assert "callback" not in caught.detail, shown_outcome(caught)
    assert other.status == "exact", shown_outcome(other)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("mutant", "status", "words"),
    [
        ("CrashesAtStart", "failed", "cannot find my configuration file"),
        ("Hangs", "failed", "not within 5 s"),
        ("WritesGarbage", "wrong", "is not a valid result of writesgarbage"),
        ("InventsWindows", "wrong", "no such window, no such space"),
        ("KeysWithoutRun", "wrong", "has the key"),
    ],
)
def test_what_is_no_engine_is_named(mutant: str, status: str, words: str, kafka: Connection, tmp_path: Path) -> None:
    """A crash, a hang, garbage and results for what does not exist are shown_outcome as what they are, in time."""
    outcome = play(choose(["golden-doors"])[0], kafka, mutant_engine(mutant, 5.0), load("doors"), tmp_path)
    assert outcome.status == status
    assert words in shown_outcome(outcome)


@pytest.mark.integration
@pytest.mark.parametrize(("mutant", "kind"), [("KnowsNoDurations", "durations"), ("KnowsNoBreakdowns", "breakdowns")])
def test_an_engine_without_them_is_judged_on_the_rest(
    mutant: str, kind: str, kafka: Connection, tmp_path: Path
) -> None:
    """Durations and breakdowns are points of their own, which do not apply to an engine that publishes none."""
    night, engine = simulated(tmp_path), mutant_engine(mutant)
    clean, of_kind = (play(point, kafka, engine, night, tmp_path) for point in choose(["clean", kind]))
    assert clean.status == "exact", shown_outcome(clean)
    assert (of_kind.status, of_kind.detail) == ("unsupported", f"publishes no {kind}")


@pytest.mark.integration
def test_an_engine_without_answers_does_not_hold_up_the_rest(kafka: Connection, tmp_path: Path) -> None:
    """After two points without an answer the others are not tried."""
    outcomes = conform(kafka, mutant_engine("CrashesAtStart", 5.0), tmp_path, points=choose([])[:4])
    assert [one.status for one in outcomes] == ["failed", "failed", "not tried", "not tried"]
