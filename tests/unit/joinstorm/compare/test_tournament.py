"""What a comparison computes from its samples: latencies, keeping up, the part to play, and the scoreboard."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joinstorm.compare.fullspeed import Recovery, Throughput
from joinstorm.compare.paced import Paced, growth, latencies
from joinstorm.compare.progresslog import ProgressSample
from joinstorm.compare.scoreboard import answers, to_html, to_json, to_text, write
from joinstorm.compare.scores import Score, Scoreboard
from joinstorm.compare.tapeparts import busiest, cut, speed_for, times
from joinstorm.compare.tournament import kept_up
from joinstorm.compare.usage import Usage
from producers.tape.tapefile import Tape
from streams.contract.runinfo import Phase
from tests.tinytape import NIGHT_MS, START, tiny_tape


def _seen(wall: float, watermark: int | None) -> ProgressSample:
    return ProgressSample(wall, watermark, 0, False)


def _paced(**changes: object) -> Paced:
    found: dict[str, object] = {
        "speed": 100.0, "events": 1_000, "events_per_second": 2_000.0, "p50": 0.2, "p95": 0.3, "p99": 0.4, "most": 0.5,
        "on_time_ratio": 1.0, "growth": 0.0, "ended": True, "cpu_seconds": 1.0,
    }  # fmt: skip
    return Paced(**(found | changes))  # type: ignore[arg-type]  # a table of fields of several types


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
    assert kept_up(_paced())
    assert not any(kept_up(_paced(**change)) for change in ({"growth": 2.0}, {"growth": None}, {"ended": False}))


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


def test_processor_time_between_two_samples_is_shared_out() -> None:
    """Before the first sample it is the first one's, after the last one the last one's."""
    usage = Usage()
    assert usage.cpu_at(1.0) == 0.0
    usage.walls, usage.cpu = [10.0, 20.0], [1.0, 3.0]
    assert [usage.cpu_at(wall) for wall in (5.0, 10.0, 15.0, 20.0, 99.0)] == [1.0, 1.0, 2.0, 3.0, 3.0]


def _board() -> Scoreboard:
    full = Throughput(
        seconds=10.0, start_seconds=1.0, events_per_second=9_000.0, events_per_cpu_second=12_345.0, cpu_seconds=8.0,
        peak_mib=150.0, whole=False,
    )  # fmt: skip
    good = Score(
        engine="good", exact=True, digest="d", compared=10, throughput=full, latency=_paced(), sustained=_paced(),
        recovery=Recovery(seconds=1.5, killed_at=7, ended=False), version="lib 1", sustained_limit="the producer",
    )  # fmt: skip
    wrong = Score(engine="<wrong>", mismatches=3, compared=10, throughput=full)
    failed = Score(engine="failed", problems=("throughput: out of order\nlast words",))
    return Scoreboard(
        truth_digest="d", events=90_000, scenario="launch", scale=0.1, seed=1, workers=1, scores=(good, wrong, failed),
        machine={"cores": "2"}, versions={"python": "3"}, made="today", seconds=60.0,
    )  # fmt: skip


def test_a_scoreboard_says_first_whether_the_answers_are_right() -> None:
    """Text and JSON have every figure, and the reasons of those that failed."""
    board = _board()
    assert [answers(score) for score in board.scores] == ["exact", "3 of 10 differ", "failed"]
    text = to_text(board)
    for word in (
        "12,345",
        "81.00",
        "CPU µs an event ↓",
        "↑ more is better, ↓ less is better",
        "9,000",
        "150 MiB",
        "0.20 s",
        "0.40 s",
        "1.5 s",
        "≥ 2,000/s",
        "out of order",
        "lib 1",
        "cores 2",
    ):
        assert word in text
    found = json.loads(to_json(board))
    assert found["exact"] is False
    assert [one["engine"] for one in found["scores"]] == ["good", "<wrong>", "failed"]
    assert not board.exact


def test_a_scoreboard_is_written_in_four_forms(tmp_path: Path) -> None:
    """The page is self-contained and escapes names."""
    paths = write(_board(), tmp_path)
    assert [path.name for path in paths] == ["compare.json", "compare.txt", "compare.png", "compare.html"]
    assert paths[2].read_bytes().startswith(b"\x89PNG")
    page = to_html(_board())
    assert "&lt;wrong&gt;" in page
    assert "<wrong>" not in page
    assert "data:image/png;base64," in page
    assert 'alt="good: exact, events/s per CPU s ↑ 12,345, CPU µs an event ↓ 81.00,' in page
    assert 'name="viewport"' in page
