"""The measurements of the replay find what they look for."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks.pace import FINENESS, Probe, cut, search
from benchmarks.seek import look_up
from producers.tape.tapefile import Tape
from tests.tinytape import START, tiny_tape


@pytest.mark.parametrize("limit", [5, 17, 60, 999])
def test_the_search_finds_the_largest_speed_on_time(limit: float) -> None:
    """Of a machine that is on time up to a limit, whatever the limit, as finely as is promised."""
    tried: list[float] = []

    def probe(speed: float) -> Probe:
        tried.append(speed)
        return Probe(speed, 1.0 if speed <= limit else 0.5, 0.01, 1.0)

    found = search(probe, 5.0, 20_000.0)
    assert found is not None
    assert found.speed <= limit < found.speed * FINENESS
    assert len(tried) < 16


def test_the_search_ends_at_its_bounds() -> None:
    """Nothing is found where the lowest speed is late; the highest is the answer where nothing is."""
    assert search(lambda speed: Probe(speed, 0.9, 1.0, 1.0), 5.0, 100.0) is None
    best = search(lambda speed: Probe(speed, 1.0, 0.0, 1.0), 5.0, 100.0)
    assert best is not None
    assert best.speed == 100.0


def test_a_part_of_a_tape_is_a_tape(tmp_path: Path) -> None:
    """The events between two moments, renumbered, with a hash of their own."""
    tape = tiny_tape(tmp_path / "night.parquet", people=60)
    part = cut(tape, tmp_path / "cut.parquet", START + 100_000, START + 200_000)
    part.verify()
    at = pq.read_table(tape.path).column("at").to_numpy()
    wanted = at[(at >= START + 100_000) & (at < START + 200_000)]
    assert 0 < part.rows < tape.rows
    assert pq.read_table(part.path).column("at").to_pylist() == wanted.tolist()
    assert pq.read_table(part.path).column("event_id").to_pylist() == list(range(part.rows))


def test_looking_up_notices_a_wrong_row(tmp_path: Path) -> None:
    """Every time is held against all rows: right rows give times, another tape's do not."""
    tape = tiny_tape(tmp_path / "night.parquet")
    known = pq.read_table(tape.path).column("at").to_numpy()
    assert len(look_up(tape.path, [START, START + 77_777, tape.info.end], known)) == 3
    with pytest.raises(AssertionError, match="event time"):
        look_up(tape.path, [START + 77_777], known + 50_000)
    assert Tape.open(tape.path).row_at(tape.info.end + 1) == tape.rows
