"""The score of an answer: each part by itself, and which situation of a night an answer is held against."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joinstorm.drill.drillscore import DrillAnswer, best_answer, clock, score_answer, since_of
from joinstorm.drill.situations import WHATS, WHERES, Situation
from streams.errors import UsageError

DAY = 86_400_000 * 19_794
HOUR = 3_600_000
MINUTE = 60_000
BEGIN = DAY + 19 * HOUR + 20 * MINUTE
NOW = BEGIN + 5 * MINUTE
TRUTH = Situation("capacity_lost", harm=True, where="both", start=BEGIN, end=BEGIN + 10 * MINUTE, told="t")
DECOY = Situation("exodus", harm=False, where="nobody", start=BEGIN, end=BEGIN + 6 * MINUTE, told="t")
PLAIN = Situation("nothing", harm=False, where="nobody", start=None, end=None, told="t")


def points(answer: DrillAnswer, truth: Situation = TRUTH, now: int = NOW) -> dict[str, int]:
    """Return the points of each part, first looked at five minutes after the beginning."""
    return {part.part: part.points for part in score_answer(answer, [truth], NOW, now)[0].parts}


@pytest.mark.parametrize("truth", [TRUTH, DECOY, PLAIN])
def test_the_truth_at_once_has_all_points(truth: Situation) -> None:
    """An incident, a decoy and a plain night can all be answered in full."""
    score, against = score_answer(best_answer(truth), [truth], NOW, NOW)
    assert (score.points, against) == (100, truth)


def test_what_looks_alike_has_half_the_points() -> None:
    """Servers that fail and a region that is cut off look alike; a login outage does not."""
    alike, other = (points(DrillAnswer(True, what, "both", "19:20"))["what"] for what in ("outage", "login_outage"))
    assert (alike, other) == (15, 0)


@pytest.mark.parametrize(
    ("since", "given_points"), [("19:20", 20), ("19:21", 20), ("19:22:30", 17), ("19:10", 0), ("-", 0)]
)
def test_since_when_counts_by_the_minute(since: str, given_points: int) -> None:
    """A minute away is exact, ten are too far, in between it is a share."""
    assert points(DrillAnswer(True, "capacity_lost", "both", since))["since"] == given_points


def test_to_page_for_a_decoy_costs() -> None:
    """A page for listeners who leave because they want to is a false one."""
    assert points(DrillAnswer(True, "exodus", "nobody", "19:20"), DECOY)["page"] == 0


def test_waiting_costs_a_point_a_minute() -> None:
    """The answer three minutes of the night later has three points less, and never less than none."""
    answer = best_answer(TRUTH)
    assert points(answer, now=NOW + 3 * MINUTE)["soon"] == 7
    assert points(answer, now=NOW + 30 * MINUTE)["soon"] == 0


def test_one_of_two_places_is_half() -> None:
    """Who saw only one side of an incident that hurts both has half the points of the place."""
    assert points(DrillAnswer(True, "capacity_lost", "door", "19:20"))["where"] == 7
    assert points(DrillAnswer(True, "capacity_lost", "nobody", "19:20"))["where"] == 0


def test_an_answer_is_held_against_the_best_match_that_has_begun() -> None:
    """Of two troubles in a night the one that fits counts; what comes later is no excuse."""
    first = Situation("login_outage", harm=True, where="door", start=BEGIN - 30 * MINUTE, end=BEGIN, told="t")
    later = Situation("outage", harm=True, where="both", start=NOW + MINUTE, end=NOW + 5 * MINUTE, told="t")
    assert score_answer(best_answer(first), [first, TRUTH, later], NOW, NOW)[1] == first
    assert score_answer(best_answer(later), [first, TRUTH, later], NOW, NOW)[1] == TRUTH


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (DrillAnswer(True, "outag", "both", "19:20"), "outage"),
        (DrillAnswer(True, "outage", "dor", "19:20"), "door"),
        (DrillAnswer(True, "outage", "door", "half past"), "expected a time of the night"),
        (DrillAnswer(True, "outage", "door", "25:00"), "expected a time of the night"),
    ],
)
def test_an_answer_that_is_none_is_named(answer: DrillAnswer, named: str) -> None:
    """A misspelt choice names the nearest; a time says how one looks."""
    with pytest.raises(UsageError, match=named):
        score_answer(answer, [TRUTH], NOW, NOW)


@given(st.integers(0, 86_399))
def test_a_time_of_the_night_is_the_latest_one(seconds: int) -> None:
    """Whatever time is given, it is within the day before the answer, and reads the same on a clock."""
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    found = since_of(text, NOW)
    assert found is not None
    assert NOW - 86_400_000 < found <= NOW
    assert clock(found) == text


@given(st.booleans(), st.sampled_from(sorted(WHATS)), st.sampled_from(sorted(WHERES)), st.integers(0, 23))
def test_no_answer_has_more_than_the_truth(page: bool, what: str, where: str, hour: int) -> None:
    """Every answer has from 0 to 100 points, and no part has more than its most."""
    for truth in (TRUTH, DECOY, PLAIN):
        score, _ = score_answer(DrillAnswer(page, what, where, f"{hour:02}:20"), [truth], NOW, NOW)
        assert 0 <= score.points <= 100
        assert all(0 <= part.points <= part.most for part in score.parts)
