"""The reaction estimate on known curves: it recovers their parameters, or reports that it cannot."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from streams.effect.baseline import Estimate, student
from streams.effect.estimate import estimate_reaction

MINUTE = 60_000
HOUR = 60 * MINUTE
START = 1_684_965_600_000
ANNOUNCED = START + 20 * HOUR
AFTER_MINUTES = 8 * 60
HALF_LIFE_MINUTES = 60.0

Counts = npt.NDArray[np.float64]


def curve(usual: float, peak: float, *, rise: int = 20, swing: float = 0.0) -> Counts:
    """Return expected tweets a minute: a daily rhythm, and a reaction that rises evenly and halves every hour."""
    minutes = np.arange(20 * 60 + AFTER_MINUTES)
    day = 2 * np.pi * ((START // MINUTE + minutes) % 1440) / 1440
    since = minutes - 20 * 60 + 0.5
    decay = np.where(since < rise, since / rise, 0.5 ** ((since - rise) / HALF_LIFE_MINUTES))
    return usual * np.exp(swing * np.cos(day)) + np.where(since > 0, peak * decay, 0.0)


def inside(truth: float, estimate: Estimate | None) -> bool:
    """Whether an interval holds the truth, the value itself lying in the interval."""
    assert estimate is not None
    assert estimate.low <= estimate.value <= estimate.high
    return estimate.low <= truth <= estimate.high


@pytest.mark.parametrize("swing", [0.0, 0.6])
def test_a_curve_without_noise_gives_back_what_was_put_in(swing: float) -> None:
    """Excess, uplift, peak and half-life of a smooth curve are those it was made with, rhythm of the day or not."""
    usual, full = curve(30, 0, swing=swing), curve(30, 400, swing=swing)
    found = estimate_reaction(full, start=START, window_ms=MINUTE, announced=ANNOUNCED)
    excess = (full - usual).sum()
    assert found.observed == pytest.approx(full[20 * 60 :].sum(), abs=1)
    assert found.excess.value == pytest.approx(excess, rel=0.01)
    assert found.uplift.value == pytest.approx(full[20 * 60 :].sum() / usual[20 * 60 :].sum(), rel=0.01)
    assert found.peak is not None
    assert found.half_life_ms is not None
    assert found.peak.value == pytest.approx(
        ANNOUNCED + 20 * MINUTE, abs=7.5 * MINUTE
    )  # the strongest quarter holds it
    assert found.half_life_ms.value == pytest.approx(HALF_LIFE_MINUTES * MINUTE, rel=0.05)
    assert found.dispersion == 1.0


def test_noise_widens_the_intervals_and_they_hold_the_truth() -> None:
    """Of forty Poisson nights, nearly all intervals hold what the curve was made with."""
    rng = np.random.default_rng(1)
    usual, full = curve(2, 0, swing=0.5), curve(2, 30, swing=0.5)
    hits = dict.fromkeys(("excess", "half_life", "peak"), 0)
    for _ in range(40):
        quiet, loud = rng.poisson(usual), rng.poisson(full - usual)
        found = estimate_reaction(quiet + loud, start=START, window_ms=MINUTE, announced=ANNOUNCED)
        hits["excess"] += inside(loud.sum(), found.excess)
        hits["half_life"] += inside(HALF_LIFE_MINUTES * MINUTE, found.half_life_ms)
        hits["peak"] += inside(ANNOUNCED + 20 * MINUTE, found.peak)
    assert all(hit >= 35 for hit in hits.values()), hits


def test_no_reaction_is_no_excess() -> None:
    """Where nothing was announced the excess's interval holds 0, the uplift's 1, and there is no peak to speak of."""
    rng = np.random.default_rng(2)
    found = estimate_reaction(rng.poisson(curve(2, 0)), start=START, window_ms=MINUTE, announced=ANNOUNCED)
    assert inside(0, found.excess)
    assert inside(1, found.uplift)
    assert found.peak is None
    assert found.half_life_ms is None


def test_an_empty_baseline_leaves_the_uplift_open_upwards() -> None:
    """Without one tweet before, a few after it are an excess; how many times the baseline they are has no upper end."""
    counts = np.zeros(20 * 60 + 60)
    counts[20 * 60 + 5 : 20 * 60 + 45] = 1
    found = estimate_reaction(counts, start=START, window_ms=MINUTE, announced=ANNOUNCED)
    assert found.without.low == 0
    assert found.without.high <= 2
    assert found.uplift.high == math.inf
    assert found.excess.low >= 38
    assert found.peak is not None


def test_cascades_widen_the_interval() -> None:
    """The same mean number of tweets in bursts of ten gives a wider interval than one by one."""
    rng = np.random.default_rng(3)
    mean = curve(2, 0)
    single, bursts = rng.poisson(mean), 10 * rng.poisson(mean / 10)
    widths = []
    for counts in (single, bursts):
        found = estimate_reaction(counts, start=START, window_ms=MINUTE, announced=ANNOUNCED)
        widths.append(found.without.high - found.without.low)
    assert widths[1] > 2 * widths[0]


@pytest.mark.parametrize("window_ms", [1_000, 5_000, 300_000])
def test_the_length_of_the_windows_hardly_matters(window_ms: int) -> None:
    """The same tweets counted in other windows give about the same estimate."""
    counts = np.random.default_rng(4).poisson(curve(4, 60, swing=0.3))
    at = np.repeat(np.arange(len(counts)) * MINUTE + MINUTE // 2, counts)
    other = np.bincount(at // window_ms, minlength=len(counts) * MINUTE // window_ms)
    one = estimate_reaction(counts, start=START, window_ms=MINUTE, announced=ANNOUNCED)
    two = estimate_reaction(other, start=START, window_ms=window_ms, announced=ANNOUNCED)
    assert two.observed == one.observed
    assert two.excess.value == pytest.approx(one.excess.value, rel=0.01)
    assert one.half_life_ms is not None
    assert two.half_life_ms is not None
    assert two.half_life_ms.value == pytest.approx(one.half_life_ms.value, rel=0.15)


def test_a_higher_level_gives_wider_intervals() -> None:
    """Being right more often costs width, in every interval."""
    counts = np.random.default_rng(5).poisson(curve(4, 60))
    narrow, wide = (
        estimate_reaction(counts, start=START, window_ms=MINUTE, announced=ANNOUNCED, level=level)
        for level in (0.8, 0.99)
    )
    for name in ("excess", "uplift", "peak", "half_life_ms"):
        first, second = getattr(narrow, name), getattr(wide, name)
        assert second.low <= first.low <= first.high <= second.high, name


def test_it_can_be_asked_from_the_first_minute_on() -> None:
    """Minutes after the announcement there is an estimate already, of what has been seen so far."""
    full = np.random.default_rng(6).poisson(curve(4, 100))
    for minutes in (1, 2, 7, 30):
        found = estimate_reaction(full[: 1200 + minutes], start=START, window_ms=MINUTE, announced=ANNOUNCED)
        assert found.observed == full[1200 : 1200 + minutes].sum()


def test_a_short_baseline_is_taken_as_level() -> None:
    """With three hours before the announcement a daily rhythm is not guessed at: the level is all there is."""
    counts = curve(10, 0)[-AFTER_MINUTES:]
    found = estimate_reaction(counts, start=START, window_ms=MINUTE, announced=START + 3 * HOUR)
    assert found.without.value == pytest.approx(10 * 300, rel=0.01)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"announced": START + HOUR}, "two hours"),
        ({"announced": START - HOUR}, "two hours"),
        ({"announced": START + 100 * HOUR}, "one window after"),
        ({"window_ms": 0}, "window_ms"),
        ({"window_ms": 11 * MINUTE}, "window_ms"),
        ({"level": 1.0}, "level"),
    ],
)
def test_what_cannot_be_estimated_is_an_error(changed: dict[str, int], message: str) -> None:
    """Too short a baseline, nothing after it, and windows or levels out of range are refused with what was expected."""
    asked = {"start": START, "window_ms": MINUTE, "announced": ANNOUNCED} | changed
    with pytest.raises(ValueError, match=message):
        estimate_reaction(curve(1, 1), **asked)


@pytest.mark.parametrize(("degrees", "table"), [(4, 2.776), (7, 2.365), (10, 2.228), (30, 2.042), (1000, 1.962)])
def test_students_quantiles_are_those_of_the_tables(degrees: int, table: float) -> None:
    """The expansion gives the tabulated two-sided 95 % points within two per cent."""
    assert student(0.975, degrees) == pytest.approx(table, rel=0.02)
