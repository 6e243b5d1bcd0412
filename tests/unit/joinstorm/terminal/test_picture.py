"""The picture of a run: it fits any screen, and the most important lines are on it."""

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from joinstorm.terminal.frames import Frame
from joinstorm.terminal.picture import KEPT, Course, Picture, bar
from tests.screenstages import STAGES

MELTING = STAGES["melting"]
NAMES = st.text(st.characters(codec="utf-8"), max_size=30)


def shown(frame: Frame, width: int, height: int, message: str = "", footer: str = "keys\nmetrics: URL") -> list[str]:
    """Return the lines of a picture of one frame."""
    picture = Picture("joinstorm launch")
    picture.footer = footer
    picture.add(frame)
    return [line.plain for line in picture.lines(frame, message, width, height)]


@given(
    st.dictionaries(NAMES, st.integers(0, 10**9), max_size=12), NAMES, NAMES, st.integers(1, 210), st.integers(1, 60)
)
def test_no_line_is_wider_and_no_picture_higher_than_the_screen(
    rooms: dict[str, int], phase: str, message: str, width: int, height: int
) -> None:
    """Whatever the names, in whatever script."""
    frame = replace(MELTING, audience=rooms, phase=phase)
    picture = Picture(phase)
    picture.add(frame)
    lines = picture.lines(frame, message, width, height)
    assert 1 <= len(lines) <= height
    for line in lines:
        assert line.cell_len <= width
        assert "\n" not in line.plain


def test_every_figure_is_there_where_there_is_room() -> None:
    """On a screen of 80 by 24 nothing is left out."""
    text = "\n".join(shown(MELTING, 80, 23, "to talk"))
    for part in (
        "joinstorm launch", "playing 240x", "24 May 22:10:00 UTC  melting", "25.0%", "587,123", "second room",
        "123,456", "3.12%", "95  a minute", "1,200,000  51,000 a second, late by 3 ms", "11,900 a second",
        "17  records, 2,400 s", "keys", "metrics: URL", "to talk",
    ):  # fmt: skip
        assert part in text, part


def test_on_a_small_screen_the_least_important_lines_are_left_out() -> None:
    """Rooms, waiting, drop rate and keys stay to the last; their order stays the same."""
    every = shown(MELTING, 60, 23)
    for height in range(1, len(every)):
        fewer = shown(MELTING, 60, height)
        assert fewer == [line for line in every if line in fewer]
        assert len(fewer) == height
    text = "\n".join(shown(MELTING, 60, 7))
    assert all(part in text for part in ("playing", "melting", "587,123", "second room", "123,456", "3.12%", "keys"))
    assert "metrics" not in text


def test_of_many_rooms_the_fullest_are_shown() -> None:
    """The others are counted together, and no one is left out."""
    rooms = {f"r{number}": number for number in range(50)}
    lines = shown(replace(MELTING, audience=rooms), 80, 20)
    assert any("r49 room" in line for line in lines)
    assert not any("r0 room" in line for line in lines)
    (others,) = [line for line in lines if "more rooms" in line]
    seen = sum(int(line.split()[2]) for line in lines if line.split()[1:2] == ["room"])
    assert seen + int(others.split()[3].replace(",", "")) == sum(rooms.values())


def test_before_the_first_count_the_picture_says_so() -> None:
    """Instead of an empty clock."""
    assert shown(STAGES["before"], 80, 23)[1] == "no event counted yet"


def test_the_course_of_a_room_is_that_of_the_whole_evening() -> None:
    """However many values, each part of the line shows the greatest of its part of the evening."""
    course, rng = Course(), random.Random(7)
    values = [rng.randrange(90) for _ in range(20 * KEPT)]
    values[len(values) // 2] = 1_000
    for value in values:
        course.add(value)
    blocks = course.blocks(40)
    assert len(blocks) == 40
    assert blocks.count("█") == 1
    assert 18 <= blocks.index("█") <= 24
    assert Course().blocks(40) == ""
    assert course.blocks(0) == ""


def test_a_course_begins_again_after_a_jump_back() -> None:
    """Values after an earlier moment belong to another run; a frame that stands still adds none."""
    picture = Picture("joinstorm launch")
    late = replace(MELTING, at=(MELTING.at or 0) + 60_000)
    for frame in (MELTING, late, late):
        picture.add(frame)
    assert "▁" not in "".join(line.plain for line in picture.lines(late, "", 80, 23))
    assert sum("██" in line.plain for line in picture.lines(late, "", 80, 23)) == 1
    picture.add(MELTING)
    assert sum("█" in line.plain for line in picture.lines(MELTING, "", 80, 23)) == 1
    assert not any("██" in line.plain for line in picture.lines(MELTING, "", 80, 23))


def test_a_bar_is_as_long_as_its_share() -> None:
    """Filled from nothing to everything, and never longer."""
    assert [bar(share, 4).plain for share in (-1, 0, 0.5, 1, 2)] == ["────", "────", "━━──", "━━━━", "━━━━"]
    assert bar(0.5, -3).plain == ""
