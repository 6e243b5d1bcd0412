"""What `benchmarks.reading` has a checkout's own code do: read the results of a run; prints processor seconds as JSON.

It imports nothing of a checkout but the reader and the exporter, under names that every compared revision has.
"""

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec

from streams.contract.runinfo import RunInfo, decode_info
from streams.exporter.collector import Exporter
from streams.read.runview import RunState, RunView

_T = TypeVar("_T")
Records: TypeAlias = list[tuple[str, bytes]]
"""Base name of a result topic, and value."""


class Task(msgspec.Struct):
    """The results of a run as a reader gets them."""

    info: bytes
    """The value of its ``run.info``."""
    truth: Records
    steps: list[Records]
    """Of the engine: what it writes in each cycle."""


class Source:
    """Stands in for a ``ResultReader``."""

    def __init__(self, info: RunInfo) -> None:
        self.info = info
        self.state = RunState(info)

    def accept(self, records: Records) -> None:
        """Read some records."""
        for topic, value in records:
            self.state.accept(topic, value)

    def snapshot(self) -> RunView:
        """Return the run as it is known."""
        return RunView(self.info, engines=self.state.engines())


def measure(task: Task) -> dict[str, float]:
    """Read the truth, view it and take its counts; then read the engine's results with a view and a scrape per step."""
    info = decode_info(task.info)
    spent: dict[str, float] = {}

    def timed(name: str, work: Callable[[], _T]) -> _T:
        began = time.process_time()
        found = work()
        spent[name] = spent.get(name, 0.0) + time.process_time() - began
        return found

    live = Source(info)
    exporter = Exporter(live)
    timed("truth: read", lambda: live.accept(task.truth))
    view = timed("truth: first view", live.snapshot)
    timed("truth: counts", view.engines["truth"].results.tables)
    live.state.mark_drained("truth")
    for records in task.steps:
        timed("engine: read", partial(live.accept, records))
        timed("engine: views", live.snapshot)
        timed("scrapes", lambda: list(exporter.collect()))
    return spent


if __name__ == "__main__":
    print(json.dumps(measure(msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=Task))))
