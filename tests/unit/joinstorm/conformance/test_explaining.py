"""Explaining: what is compared between nights, and how an explanation reads."""

from joinstorm.conformance.certificate import PointOutcome
from joinstorm.conformance.explaining import Explanation, kind_of, to_text
from joinstorm.conformance.partnight import part_of
from streams.golden import load


def _failed(detail: str) -> PointOutcome:
    return PointOutcome(point="clean", says="", status="failed", detail=detail)


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
