"""What a comparison computes from its samples: latencies, keeping up, and the part to play."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joinstorm.compare.faultypart import faulty_part
from joinstorm.compare.paced import growth, latencies
from joinstorm.compare.progresslog import ProgressSample
from joinstorm.compare.tapeparts import busiest, cut, speed_for, times
from joinstorm.compare.tournament import kept_up
from joinstorm.compare.usage import Usage
from producers.tape.tapefile import Tape
from streams.contract.runinfo import Phase
from tests.tinytape import NIGHT_MS, START, tiny_tape
from tests.unit.joinstorm.compare.boards import paced


def _seen(wall: float, watermark: int | None) -> ProgressSample:
    return ProgressSample(wall, watermark, 0, False)


def test_latency_is_from_the_due_time_to_the_first_sample_that_covers_an_event() -> None:
    """A watermark covers earlier events; one that goes back covers nothing; an uncovered event is infinitely late."""
    seen = [_seen(1.0, None), _seen(2.0, 100), _seen(3.0, 50), _seen(4.0, 300)]
    at = np.array([99, 100, 299, 300], np.int64)
    due = np.array([0.0, 0.5, 1.0, 1.5])
    assert latencies(seen, at, due).tolist() == [2.0, 3.5, 3.0, float("inf")]


def test_events_without_a_due_time_have_no_latency() -> None:
    """Events sent at full speed, in quiet phases, are left out."""
    late = latencies([_seen(2.0, 10)], np.array([1, 2], np.int64), np.array([np.nan, 1.0]))
    assert late.tolist() == [1.0]


@given(st.lists(st.floats(0, 100), min_size=4, max_size=50), st.floats(0, 10))
def test_growth_does_not_depend_on_how_late_everything_is(late: list[float], more: float) -> None:
    """A constant delay is no growth."""
    before, after = growth(np.array(late)), growth(np.array(late) + more)
    assert before is not None
    assert after == pytest.approx(before, abs=0.002)


def test_an_engine_that_falls_behind_does_not_keep_up() -> None:
    """Growing latency, results that never come, or no end: each alone is enough."""
    assert growth(np.linspace(0, 8, 80)) == pytest.approx(4, abs=0.2)
    assert growth(np.array([0.1] * 70 + [np.inf] * 30)) is None
    assert kept_up(paced())
    assert not any(kept_up(paced(**change)) for change in ({"growth": 2.0}, {"growth": None}, {"ended": False}))


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=200), st.integers(1, 5_000))
def test_the_busiest_part_is_the_busiest(drawn: list[int], width: int) -> None:
    """No other part of that length that begins with an event has more of them."""
    at = np.sort(np.array(drawn, np.int64))
    begin, count = busiest(at, width)
    assert count == int(((at >= begin) & (at < begin + width)).sum())
    assert count == max(int(((at >= one) & (at < one + width)).sum()) for one in at.tolist())


def test_a_speed_is_found_for_a_rate() -> None:
    """Ten events a second of the night come at a thousand a second at speed 100."""
    at = np.arange(0, 3_600_000, 100, dtype=np.int64)
    assert speed_for(at, 1_000, 5) == pytest.approx(100, rel=0.05)


def test_a_part_of_a_tape_is_a_tape(tmp_path: Path) -> None:
    """It holds the events between two moments, and begins in the phase it lies in."""
    whole = tiny_tape(tmp_path / "whole.parquet")
    begin, end = START + 130_000, START + NIGHT_MS // 2
    part = cut(whole, begin, end, tmp_path / "part.parquet")
    wanted = [one for one in times(whole).tolist() if begin <= one < end]
    assert wanted
    assert times(part).tolist() == wanted
    assert part.info.phases == (Phase("melting", part.info.start),)
    assert part.info.start <= begin
    assert Tape.open(part.path).info.events == len(wanted)


def test_the_part_with_faults_is_the_busiest_and_no_longer_than_needed(tmp_path: Path) -> None:
    """Of a small night it is all from the busiest minute on."""
    whole = tiny_tape(tmp_path / "whole.parquet")
    at = times(whole)
    part = faulty_part(whole, at, tmp_path / "part.parquet")
    begin, _ = busiest(at, 60_000)
    assert times(part).tolist() == [one for one in at.tolist() if one >= begin]


def test_processor_time_between_two_samples_is_shared_out() -> None:
    """Before the first sample it is the first one's, after the last one the last one's."""
    usage = Usage()
    assert usage.cpu_at(1.0) == 0.0
    usage.walls, usage.cpu = [10.0, 20.0], [1.0, 3.0]
    assert [usage.cpu_at(wall) for wall in (5.0, 10.0, 15.0, 20.0, 99.0)] == [1.0, 1.0, 2.0, 3.0, 3.0]
