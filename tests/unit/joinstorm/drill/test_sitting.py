"""A sitting: at the terminal, for a program, and what neither can see or do."""

import json
from collections.abc import Iterator

import numpy as np
import pytest

from joinstorm.drill.console import Console, LeftError
from joinstorm.drill.debrief import alert_lines, debrief_page, events_of
from joinstorm.drill.drillscore import DrillAnswer
from joinstorm.drill.drilltext import boards_text, value_text
from joinstorm.drill.lineprotocol import converse
from joinstorm.drill.sitting import Sitting
from streams.errors import UsageError
from tests.unit.joinstorm.drill.drillnights import END, LOST, MINUTE, night

RIGHT = DrillAnswer(True, "capacity_lost", "both", "19:20")


@pytest.fixture
def sitting() -> Sitting:
    """Return a sitting at its first look."""
    return Sitting(night())


def at_the_terminal(sitting: Sitting, *typed: str) -> list[str]:
    """Type lines into the console and return what it showed and asked."""
    shown: list[str] = []
    lines: Iterator[str | None] = iter([*typed, None])

    def ask(prompt: str) -> str | None:
        shown.append(prompt)
        return next(lines)

    Console(sitting, ask, shown.append, lambda: 120).sit()
    return shown


def test_the_boards_show_nothing_of_what_is_to_come(sitting: Sitting) -> None:
    """No panel has a sample after now, and later adds what has come meanwhile."""
    assert max(panel.times.max() for panel in sitting.boards()) == sitting.now == LOST + 3 * MINUTE
    sitting.later(2 * MINUTE)
    assert max(panel.times.max() for panel in sitting.boards()) == LOST + 5 * MINUTE


def test_a_panel_that_has_had_no_value_is_not_there(sitting: Sitting) -> None:
    """That a reason for fails will come is nothing to be seen before."""
    success = next(panel for panel in sitting.drill.boards if panel.name == "join success")
    sitting.now = LOST - MINUTE
    assert success.name not in {panel.name for panel in sitting.boards()}
    sitting.now = LOST
    assert success.name in {panel.name for panel in sitting.boards()}


def test_the_night_ends(sitting: Sitting) -> None:
    """Time beyond its end is refused, and the sitting goes on where it was."""
    with pytest.raises(UsageError, match="the night is over"):
        sitting.later(END - sitting.now + MINUTE)
    assert sitting.now == LOST + 3 * MINUTE


def test_a_person_looks_waits_and_answers(sitting: Sitting) -> None:
    """Commands and answers in turn; what cannot be read is asked again, and nothing names the night."""
    shown = at_the_terminal(
        sitting, "later 1m", "zoom 10m", "bords", "answer", "perhaps", "yes", "capacity", "capacity_lost", "both",
        "noon", "19:20",
    )  # fmt: skip
    assert sitting.answer == RIGHT
    assert sitting.score is not None
    assert sitting.score.points == 99
    text = "\n".join(shown)
    assert "unknown command 'bords'" in text
    assert "expected yes or no" in text
    assert "expected a time of the night" in text
    assert "server-loss" not in text
    assert "two fifths" not in text


@pytest.mark.parametrize("typed", [("quit",), ("later 1m",), ("answer", "yes")])
def test_a_person_may_leave(sitting: Sitting, typed: tuple[str, ...]) -> None:
    """By quit or at the end of the input; then there is no score."""
    with pytest.raises(LeftError):
        at_the_terminal(sitting, *typed)
    assert sitting.score is None


def test_every_panel_is_a_line_of_the_same_width(sitting: Sitting) -> None:
    """Also on a narrow terminal, and when the last minutes are fewer samples than cells."""
    for back, width in ((40 * MINUTE, 120), (2 * MINUTE, 120), (40 * MINUTE, 60)):
        lines = boards_text(sitting, back, width).splitlines()
        assert len(lines) == 13
        assert len({len(line) for line in lines}) == 1
    assert "19:23:00" in lines[0]


def test_a_value_that_is_missing_is_a_dash() -> None:
    """Ratios are in percent, times have their unit, counts their commas."""
    found = [value_text(*pair) for pair in ((None, "people"), (0.123, "ratio"), (2.0, "seconds"), (1234.0, "people"))]
    assert found == ["-", "12.3%", "2.0 s", "1,234"]


def test_a_program_is_a_trainee(sitting: Sitting) -> None:
    """It gets the boards as numbers, an error for a wrong line, the boards again, and the score with the truth."""
    answer = {"page": True, "what": "capacity_lost", "where": "both", "since": "19:20"}
    lines = [
        "{",
        '{"later": "soon"}',
        "{}",
        '{"later": "1m"}',
        '{"answer": {"page": 1}}',
        json.dumps({"answer": answer}),
    ]
    sent: list[str] = []
    converse(sitting, lines, sent.append)
    made = [json.loads(line) for line in sent]
    assert [one["type"] for one in made] == ["boards", "error", "error", "error", "boards", "error", "score"]
    room = made[0]["panels"][0]
    assert (room["name"], room["values"][-1], len(room["values"])) == ("in the room", 600.0, len(made[0]["times_ms"]))
    assert made[0]["panels"][9]["values"][0] is None
    assert (made[-1]["points"], made[-1]["truth"]) == (99, {**answer, "since": "19:20:00"})
    assert "server-loss" not in "".join(sent[:-1])


def test_a_program_that_ends_has_left(sitting: Sitting) -> None:
    """Without an answer there is no score."""
    sent: list[str] = []
    with pytest.raises(LeftError):
        converse(sitting, ['{"later": "1m"}'], sent.append)
    assert len(sent) == 2


def test_the_debrief_tells_the_whole_night(sitting: Sitting) -> None:
    """Score, timeline in order, boards, and why there are no alerts; nothing is loaded from elsewhere."""
    sitting.give(RIGHT)
    page = debrief_page(sitting, [], "no Prometheus <here>")
    times = [at for at, _ in events_of(sitting)]
    assert times == sorted(times)
    for words in ("100 of 100 points", "the incident begins: servers failed (both)", "your first look", "<svg"):
        assert words in page
    assert "no Prometheus &lt;here&gt;" in page
    assert "<script" not in page
    assert alert_lines([]) == ["every alert was silent"]


def test_a_panel_has_no_value_before_its_first_sample(sitting: Sitting) -> None:
    """A ratio without a denominator is none."""
    success = next(panel for panel in sitting.drill.boards if panel.name == "join success")
    assert success.at(LOST - MINUTE) is None
    assert success.at(LOST) == 0.3
    assert success.at(0) is None
    assert np.isnan(success.between(LOST - MINUTE, LOST - MINUTE).values).all()
