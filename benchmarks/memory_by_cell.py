"""What one more event, window, person, result or room takes in memory: ``python -m benchmarks.memory_by_cell``.

Each line is the slope between two sizes, as tracemalloc counts the allocations of Python and numpy. A table that grows
by doubling is about as full at both sizes; in between it takes up to twice that.
"""

import gc
import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial

from msgspec.structs import replace

from streams.contract.events import Presence, PresenceKind, encode
from streams.contract.results import AudienceResult
from streams.contract.runinfo import Phase, RunInfo
from streams.contract.topics import PRESENCE
from streams.fold.state import PartitionState, decoder
from streams.read.derive import EngineResults

START = 1_672_531_200_000
WINDOW_MS = 5_000
SMALL, LARGE = 1 << 14, 1 << 16
_DAY_MS = 86_400_000
CHUNK = 8_192
INFO = RunInfo(
    v=1, run="cells", tape_sha256="", scenario="cells", scale=1.0, seed=0, events=8, people=8, start=START,
    end=START + 20 * _DAY_MS, talk_start=START, window_ms=WINDOW_MS, watermark_step_ms=WINDOW_MS,
    phases=(Phase("night", START),), spaces=("room",), thread="", announced=None, subjects=(), partitions=1,
    prefix="", topics={}, created_ms=0,
)  # fmt: skip


def counted(info: RunInfo, windows: Sequence[int], people: Sequence[int]) -> PartitionState:
    """Return the state of the engine `faust` after one join in each window, by each person."""
    state, decode = PartitionState(info, PRESENCE, 0), decoder(info, PRESENCE).decode
    values = [
        encode(Presence(number, START + window * WINDOW_MS, PresenceKind.JOIN, person, "room", "web", 1, 1))
        for number, (window, person) in enumerate(zip(windows, people, strict=True))
    ]
    for place in range(0, len(values), CHUNK):
        state.apply(decode(values[place : place + CHUNK]), place + CHUNK)
    return state


def by_windows(size: int) -> object:
    """Return a state in which the room has counts in each of so many windows."""
    return counted(replace(INFO, events=size), range(size), [0] * size)


def by_meetings(size: int) -> object:
    """Return a state in which so many people have been in the room, in one window."""
    return counted(replace(INFO, events=size, people=size), [0] * size, range(size))


def by_people(size: int) -> object:
    """Return a state of a run with so many people, to whom nothing has happened."""
    return PartitionState(replace(INFO, people=size), PRESENCE, 0)


def by_results(size: int) -> EngineResults:
    """Return so many results of one room, each with four counts of its own."""
    return read([{"attempts": 1_000 + n, "joins": 2_000 + n, "leaves": 1, "drops": 2} for n in range(size)])


def by_small_results(size: int) -> EngineResults:
    """Return so many results of one room, each with one event."""
    return read([{"attempts": 1} for _ in range(size)])


def by_joins(size: int) -> EngineResults:
    """Return so many results of one room, each with one join that has its client and its time to rejoin."""
    return read([{"joins": 1, "rejoins": 1, "joins_by_client:web": 1, "time_to_rejoin:8": 1} for _ in range(size)])


def read(results: Sequence[dict[str, int]]) -> EngineResults:
    """Return results of one room, by window."""
    night = EngineResults(INFO)
    for window, counts in enumerate(results):
        night.put(AudienceResult(1, "cells", "faust", START + window * WINDOW_MS, "room", "0", 1, counts))
    night.view()
    return night


def by_rooms(size: int) -> EngineResults:
    """Return the results of so many rooms without any."""
    night = EngineResults(replace(INFO, spaces=tuple(f"room-{number}" for number in range(size))))
    night.view()
    return night


def tables_of(nights: dict[int, EngineResults], size: int) -> object:
    """Return what a verdict compares, of results that are there already."""
    return nights[size].view().tables()


def taken(make: Callable[[int], object], size: int) -> int:
    """Return the bytes that what is made holds."""
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    held = make(size)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    del held
    return after - before


def slope(make: Callable[[int], object]) -> float:
    """Return the bytes of one more."""
    return (taken(make, LARGE) - taken(make, SMALL)) / (LARGE - SMALL)


def main() -> None:
    """Measure all of them and print the table."""
    for make in (by_windows, by_meetings, by_people):
        make(CHUNK)  # what is made once
    tracemalloc.start()
    people = slope(by_people)
    kinds = {by_small_results: "of one event", by_joins: "of one rejoin", by_results: "of four counts"}
    nights = {make: {size: make(size) for size in (SMALL, LARGE)} for make in kinds}
    print("| bytes | for each |\n| ---: | --- |")
    print(f"| {people:.0f} | person of the run |")
    print(f"| {slope(by_windows):.0f} | window and name with counts |")
    print(f"| {slope(by_meetings) - people:.0f} | person and room that have met |")
    for make, what in kinds.items():
        print(f"| {slope(make):.0f} | result {what}, in a window and name of its own, sums included |")
        tables = slope(partial(tables_of, nights[make]))
        print(f"| {tables:.0f} | window and name {what} in a verdict's tables |")
    print(f"| {slope(by_rooms):.0f} | room of an engine's results |")


if __name__ == "__main__":
    main()
