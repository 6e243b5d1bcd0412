"""A night of a year and 10,000 rooms: what is read takes the memory of what happened."""

import tracemalloc

import msgspec
import numpy as np

from streams.contract.results import AudienceResult
from streams.read.derive import EngineResults
from streams.read.difference import difference
from tests.nights import START, WINDOW, run_info

SPACES = tuple(f"room-{number:05}" for number in range(10_000))
INFO = msgspec.structs.replace(run_info(), spaces=SPACES, end=START + 365 * 86_400_000)


def results(seed: int) -> EngineResults:
    """Return 1,000 results anywhere among 63 billion windows and rooms."""
    rng = np.random.default_rng(seed)
    night = EngineResults(INFO)
    for window, room in zip(
        rng.integers(0, 6_300_000, 1_000).tolist(), rng.integers(0, 10_000, 1_000).tolist(), strict=True
    ):
        night.put(AudienceResult(1, "run-1", "e", START + window * WINDOW, SPACES[room], "0", 1, {"joins": 1}))
    return night


def test_a_year_of_ten_thousand_rooms_takes_less_than_32_mib() -> None:
    """The results, a view of them, and values, tables and the difference derived from it."""
    tracemalloc.start()
    night = results(1)
    view = night.view()
    now = view.at(INFO.end)
    assert sum(now.audience(space) for space in SPACES) == 1_000
    assert now.waiting() == -1_000
    assert max(now.peak(space)[0] for space in SPACES) >= 1
    assert len(view.tables().audience) == 1_000
    assert difference(view, view, view.grid.windows).greatest["joins"] == 0
    assert difference(view, results(2).view(), view.grid.windows).total["joins"] == 2_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 << 20
