"""Pages as of the night: event time by the clock, and stretches joined."""

import pytest

from joinstorm.rehearsal.account import NightClock, merged_spans

CLOCK = NightClock([10_000.0, 11_000.0, 12_000.0], [500_000.0, 560_000.0, 561_000.0])


@pytest.mark.parametrize(
    ("wall", "night"), [(10_500, 530_000), (11_500, 560_500), (9_000, 500_000), (7_000, None), (15_000, None)]
)
def test_event_time_is_read_between_two_samples(wall: int, night: int | None) -> None:
    """At speed 60 half a second is half a minute; well before and after the replay there is no event time."""
    assert CLOCK.at(wall) == night


def test_a_clock_without_samples_knows_nothing() -> None:
    """A run that was never scraped has no event time."""
    assert NightClock([], []).at(10_000) is None


def test_stretches_that_overlap_are_one() -> None:
    """Several series of one alert make one page; one that goes on to the end of the night has no end."""
    assert merged_spans([(30, 40), (10, 20), (15, 25), (40, 50)]) == [(10, 25), (30, 50)]
    assert merged_spans([(10, None), (20, 30)]) == [(10, None)]
    assert merged_spans([(10, 30), (20, None)]) == [(10, None)]
