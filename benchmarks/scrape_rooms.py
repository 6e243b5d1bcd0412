"""A scrape of a night with many rooms: time, processor time and size, and how long the reader has to wait meanwhile.

    python -m benchmarks.scrape_rooms --rooms 10000 --shown 200

No broker: results of an engine and of the truth are made up, and given to the reader's state as Kafka would. During
each scrape, new results of a tenth of the rooms arrive. A scrape is answered by the real server over HTTP. Exit code 1
if a scrape takes a second of processor time or more, the reading included.
"""

import itertools
import random
import resource
import statistics
import sys
import threading
import time
from collections.abc import Iterator

import click
from msgspec.structs import replace

from benchmarks.readingtask import Source
from streams.contract.names import TRUTH
from streams.contract.results import AudienceResult, Progress, encode, topic_of
from streams.contract.runinfo import Phase, RunInfo
from streams.contract.topics import INPUTS, RESULTS_AUDIENCE
from streams.exporter.collector import Exporter
from streams.read.runview import RunView
from streams.system.directhttp import open_directly

LIMIT_SECONDS = 1.0
START = 1_672_531_200_000
WINDOW_MS = 5_000
WINDOWS = 720
SLICE = 2_000
ENGINES = ("faust", TRUTH)


class Locked(Source):
    """A reader: views and records take turns, as in ``ResultReader``."""

    def __init__(self, info: RunInfo) -> None:
        super().__init__(info)
        self.lock = threading.Lock()
        self.held = 0.0
        """The longest time in which no slice of records could be read."""

    def snapshot(self) -> RunView:
        """Return the run as it is known."""
        with self.lock:
            return super().snapshot()

    def read(self, records: list[tuple[str, bytes]]) -> None:
        """Read records in slices."""
        for part in range(0, len(records), SLICE):
            began = time.perf_counter()
            with self.lock:
                self.held = max(self.held, time.perf_counter() - began)
                self.accept(records[part : part + SLICE])
            time.sleep(0.001)


def info_of(rooms: int) -> RunInfo:
    """Return an hour's night."""
    names = tuple(f"room-{number:05}" for number in range(rooms))
    return RunInfo(
        v=1, run="rooms", tape_sha256="", scenario="rooms", scale=1.0, seed=0, events=1, people=1, start=START,
        end=START + WINDOWS * WINDOW_MS - 1, talk_start=START, window_ms=WINDOW_MS, watermark_step_ms=WINDOW_MS,
        phases=(Phase("night", START, quiet=False),), spaces=names, thread="", announced=None,
        subjects=(), partitions=1, prefix="", topics={}, created_ms=0,
    )  # fmt: skip


def results(info: RunInfo, engine: str, rooms: Iterator[int], windows: range, version: int) -> list[tuple[str, bytes]]:
    """Return an engine's counts of some rooms in some windows."""
    found = []
    for room, window in itertools.product(rooms, windows):
        dice = random.Random(room * WINDOWS + window)
        joins = dice.randrange(1, 20)
        counts = {"attempts": joins + 2, "arrivals": joins, "joins": joins, "first_joins": joins, "leaves": joins // 2}
        at, space = START + window * WINDOW_MS, info.spaces[room]
        found.append((RESULTS_AUDIENCE, encode(AudienceResult(1, info.run, engine, at, space, "0", version, counts))))
    return found


def progress(info: RunInfo, engine: str, version: int) -> list[tuple[str, bytes]]:
    """Return that an engine has counted everything."""
    both = [
        replace(Progress.of_partition(info.run, engine, topic, 0), version=version, watermark=info.end)
        for topic in INPUTS
    ]
    return [(topic_of(one), encode(one)) for one in both]


@click.command()
@click.option("--rooms", default=10_000, help="Rooms of the night.")
@click.option("--shown", type=int, help="Rooms whose series are served; all of them if not given.")
@click.option("--windows", default=20, help="Windows in which a room has results.")
@click.option("--scrapes", default=7, help="Scrapes to measure.")
def main(rooms: int, shown: int | None, windows: int, scrapes: int) -> int:
    """Measure and print a line."""
    info = info_of(rooms)
    source = Locked(info)
    for engine in ENGINES:
        source.accept(results(info, engine, iter(range(rooms)), range(0, WINDOWS, WINDOWS // windows), 1))
        source.accept(progress(info, engine, 1))
    source.state.mark_drained(TRUTH)
    exporter = Exporter(source) if shown is None else Exporter(source, rooms=shown)
    took, spent, size = [], [], 0
    with exporter.serving(0) as url:
        for number in range(scrapes + 1):
            news = results(info, "faust", iter(range(number, rooms, 10)), range(number, number + 3), 2)
            reading = threading.Thread(target=source.read, args=(news,))
            cpu, began = cpu_seconds(), time.perf_counter()
            reading.start()
            with open_directly(url, 600) as answer:
                size = len(answer.read())
            took.append(time.perf_counter() - began)
            reading.join()
            spent.append(cpu_seconds() - cpu)
    took, spent = took[1:], spent[1:]  # the first one is the first view of the whole night
    print(
        f"{rooms:,} rooms, {'all' if shown is None else shown} shown: scrape {statistics.median(took):.2f} s in the "
        f"median, {min(took):.2f} to {max(took):.2f}; CPU {statistics.median(spent):.2f} s; {size / 1e6:.1f} MB; "
        f"a slice of records waited {source.held:.2f} s at most"
    )
    return 0 if statistics.median(spent) < LIMIT_SECONDS else 1


def cpu_seconds() -> float:
    """Return the processor time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main(standalone_mode=False))
