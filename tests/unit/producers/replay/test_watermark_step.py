"""The step of watermarks by speed and length of a night."""

import pytest

from producers.compose.marks import watermark_times
from producers.replay.schedule import MOST_MARKS, default_watermark_step

DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("speed", "days", "step"),
    [
        (0, 1, 60_000),
        (1, 1, 5_000),
        (60, 1, 15_000),
        (600, 1, 60_000),
        (1, 7, 35_000),
        (0, 7, 60_000),
        (0, 365, 1_580_000),
    ],
)
def test_the_step_follows_speed_and_length(speed: float, days: int, step: int) -> None:
    """About a quarter of a second, at most a minute, and more only where the night is long; whole windows."""
    assert default_watermark_step(speed, days * DAY_MS) == step


@pytest.mark.parametrize("days", [1, 7, 365, 3_650])
@pytest.mark.parametrize("window_ms", [1, 1_000, 5_000, 3_600_000])
def test_the_marks_of_a_night_are_bounded(days: int, window_ms: int) -> None:
    """However long the night and however narrow its windows, a partition has at most so many watermarks."""
    step = default_watermark_step(1, days * DAY_MS, window_ms)
    assert step % window_ms == 0
    assert len(watermark_times(0, days * DAY_MS, step)) <= MOST_MARKS
