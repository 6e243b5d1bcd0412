"""Durations as of an event time: the same as counting them one by one, and quantiles within their bins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.durations import TIME_TO_JOIN, TIME_TO_REJOIN, bin_end, bin_of
from streams.contract.results import AudienceResult
from streams.read.derive import EngineResults, ResultsAt
from tests.nights import run_info

INFO = run_info()
FIRST, SECOND = INFO.spaces[:2]
_durations = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 1 << 22)), min_size=1, max_size=60)


def results(found: list[tuple[int, int]], family: str = TIME_TO_JOIN, space: str = "*") -> EngineResults:
    """Return the results of an engine that counted durations, given as window and milliseconds."""
    engine = EngineResults(INFO)
    rows: dict[int, dict[str, int]] = {}
    for window, duration in found:
        row = rows.setdefault(window, {})
        count = f"{family}{bin_of(duration)}"
        row[count] = row.get(count, 0) + 1
    for window, counts in rows.items():
        at = INFO.start + window * INFO.window_ms
        engine.put(AudienceResult(1, INFO.run, "e", at, space, "0", 1, counts))
    return engine


@given(_durations, st.integers(0, 31), st.sampled_from([256, 1 << 14, 1 << 22]))
def test_counts_are_those_of_the_windows_before(found: list[tuple[int, int]], until: int, bound: int) -> None:
    """A duration counts once its window has ended, and below a bound at which a bin begins."""
    now = ResultsAt(results(found).view(), until)
    before = [duration for window, duration in found if window < until]
    assert now.durations_so_far(TIME_TO_JOIN) == (len(before) or None)
    below = sum(duration < bound for duration in before)
    assert now.durations_so_far(TIME_TO_JOIN, bound) == (below if before else None)
    assert now.durations_so_far(TIME_TO_REJOIN) is None


@given(_durations, st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_lies_in_the_bin_of_the_true_one(found: list[tuple[int, int]], share: float) -> None:
    """The last minute's quantile is in the bin that holds the duration of that rank."""
    now = ResultsAt(results(found).view(), 31)
    minute = sorted(duration for window, duration in found if window >= now.since)
    value = now.duration(TIME_TO_JOIN, share)
    if not minute:
        assert value is None
        return
    rank = min(len(minute) - 1, max(0, int(np.ceil(share * len(minute))) - 1))
    begin = bin_of(minute[rank])
    assert value is not None
    assert begin <= value * 1000 <= bin_end(begin)


def test_a_quantile_is_interpolated() -> None:
    """Four durations lie evenly in their bin: the median is its middle."""
    now = ResultsAt(results([(0, 4096)] * 4).view(), 1)
    assert now.duration(TIME_TO_JOIN, 0.5) == pytest.approx((4096 + 5120) / 2 / 1000)


def test_rejoins_are_summed_over_spaces() -> None:
    """Every space counts, and a greater version takes the place of the one before."""
    engine = results([(0, 700)], TIME_TO_REJOIN, FIRST)
    engine.put(AudienceResult(1, INFO.run, "e", INFO.start, SECOND, "0", 1, {f"{TIME_TO_REJOIN}640": 2}))
    engine.put(AudienceResult(1, INFO.run, "e", INFO.start, SECOND, "0", 2, {f"{TIME_TO_REJOIN}768": 3}))
    now = ResultsAt(engine.view(), 1)
    assert now.durations_so_far(TIME_TO_REJOIN) == 4
    assert now.durations_so_far(TIME_TO_REJOIN, 768) == 1


def test_the_exit_ratio_is_of_the_waits_that_ended() -> None:
    """Exits against joins of the last minute; None if no wait ended."""
    engine = results([(0, 100), (0, 200), (0, 300)])
    engine.put(AudienceResult(1, INFO.run, "e", INFO.start + INFO.window_ms, "*", "0", 1, {"time_to_exit:96": 1}))
    assert ResultsAt(engine.view(), 2).exit_ratio() == 0.25
    assert ResultsAt(engine.view(), 0).exit_ratio() is None
