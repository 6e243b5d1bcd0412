"""Moments and durations as users write them."""

import pytest

from producers.moments import duration_ms, moment_ms
from streams.contract.runinfo import Phase
from streams.errors import UsageError

HOUR, DAY = 3_600_000, 24 * 3_600_000
START = 1_684_965_600_000
PHASES = (Phase("open", START), Phase("talk", START + HOUR))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("250ms", 250), ("90s", 90_000), ("1h30m", 5_400_000), ("1.5h", 5_400_000), ("2d", 2 * DAY), ("1d12h", 36 * HOUR)],
)
def test_a_duration_is_a_sum_of_numbers_with_units(text: str, expected: int) -> None:
    """Milliseconds to days."""
    assert duration_ms(text) == expected


@pytest.mark.parametrize(("text", "why"), [("5", "is not a duration"), ("1w", "is not a duration"), ("367d", "a year")])
def test_what_is_no_duration_is_refused(text: str, why: str) -> None:
    """A number without unit, an unknown unit, more than a year."""
    with pytest.raises(UsageError, match=why):
        duration_ms(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("talk", START + HOUR),
        ("talk-30m", START + HOUR // 2),
        ("talk+3d", START + HOUR + 3 * DAY),
        ("+2d", START + 2 * DAY + 5),
        ("2023-05-24T22:30:00Z", START + HOUR // 2),
    ],
)
def test_a_moment_is_a_phase_a_time_or_an_offset(text: str, expected: int) -> None:
    """Offsets without a phase count from here."""
    assert moment_ms(text, PHASES, START, START + 10 * DAY, START + 5) == expected


@pytest.mark.parametrize(
    ("text", "why"), [("tlak", "did you mean 'talk'"), ("+11d", "outside the night"), ("", "is not a moment")]
)
def test_what_is_no_moment_of_the_night_is_refused(text: str, why: str) -> None:
    """A misspelt phase, a moment behind the end, nothing."""
    with pytest.raises(UsageError, match=why):
        moment_ms(text, PHASES, START, START + 10 * DAY, START)
