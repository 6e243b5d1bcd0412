"""Explaining: what is compared between nights, and how an explanation reads."""

from pathlib import Path

import msgspec
import pytest

from joinstorm.conformance.certificate import PointOutcome, choose
from joinstorm.conformance.explaining import Explainer, Explanation, kind_of, to_text
from joinstorm.conformance.partnight import part_of
from joinstorm.conformance.points import Point
from joinstorm.engines.undertest import EngineUnderTest
from streams.golden import GoldenNight, load
from streams.kafka.connection import Connection


def _failed(detail: str) -> PointOutcome:
    return PointOutcome(point="clean", says="", status="failed", detail=detail)


class _Imagined(Explainer):
    """Plays nights without Kafka: an engine that is wrong where all the needed events are in the night."""

    def __init__(self, folder: Path, needed: set[int]) -> None:
        nobody = Connection("localhost:1")
        super().__init__(nobody, EngineUnderTest("imagined", []), folder)
        self.needed = needed

    def play(self, point: Point, night: GoldenNight) -> PointOutcome:
        self.runs += 1
        ids = {msgspec.json.decode(r.value)["event_id"] for r in night.records if b'"event_id"' in r.value}
        wrong = self.needed <= ids
        return PointOutcome(point=point.name, says="", status="wrong" if wrong else "exact")


@pytest.mark.parametrize("needed", [set(), {0}, {1, 12}, {3, 4, 15}])
def test_the_fewest_events_that_show_it_are_found(needed: set[int], tmp_path: Path) -> None:
    """Without knowing any wrong window; an event that arrives twice is one record of the explanation."""
    found = _Imagined(tmp_path, needed).explain(choose(["golden-doors"]))
    assert found is not None
    assert {msgspec.json.decode(record.value)["event_id"] for record in found.events} == needed
    assert len(found.events) == len(needed)
    assert found.outcome.status == "wrong"


def test_an_exact_engine_is_not_explained(tmp_path: Path) -> None:
    """Every point is played once."""
    explainer = _Imagined(tmp_path, {1000})
    assert explainer.explain(choose(["golden-doors", "golden-thread"])) is None
    assert explainer.runs == 2


def test_nights_fail_alike_whatever_the_numbers() -> None:
    """A crash is no hang, and a hang is one after any time; wrong counts are alike."""
    hang = "the end of x: not within 20 s; run r1 …"
    assert kind_of(_failed(hang)) == kind_of(_failed(hang.replace("20", "8").replace("r1", "r2")))
    assert kind_of(_failed(hang)) != kind_of(_failed("the end of x: a worker ended with exit code 1; its log"))
    wrong = PointOutcome(point="clean", says="", status="wrong", detail="3 of 9 counts differ")
    assert kind_of(wrong) == kind_of(PointOutcome(point="late", says="", status="wrong"))


def test_an_explanation_names_its_events_and_the_telling_one() -> None:
    """Without the last event the engine is right; marks are no events."""
    night = part_of(load("doors"), frozenset({0, 1}))
    found = Explanation(_failed("it hangs"), night, runs=7)
    assert len(found.events) == 2
    assert found.telling == load("doors").records[1]
    text = to_text("mine", found)
    assert "mine is failed on clean, shown by 2 events (7 nights played)" in text
    assert "what is wrong: it hangs" in text
    assert text.endswith("without event 2 the engine is right")
