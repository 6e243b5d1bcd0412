"""Nights as counts, as what an exporter would have served at given moments, and as text that Prometheus reads."""

import re
import sys
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO, TypeAlias

from joinstorm.oracle.answers import Truth, ask
from joinstorm.prometheus.server import promtool
from producers.replay.opening import run_info
from producers.tape.tapefile import Tape
from streams.contract.names import TRUTH
from streams.contract.results import Progress
from streams.contract.runinfo import DEFAULT_WINDOW_MS, RunInfo
from streams.contract.topics import Topics
from streams.errors import ContractError
from streams.exporter.collector import Exporter
from streams.metrics import definitions as m
from streams.metrics.definitions import EXPORTER_METRICS
from streams.metrics.metric import Metric
from streams.read.derive import EngineResults, ResultsView
from streams.read.runview import RunView

_LONGEST_NAME: Final = 40
NOT_OF_THE_NIGHT: Final = (
    m.RUN_ENDED,
    m.REPLAY_TARGET_SPEED,
    m.REPLAY_SPEED,
    m.REPLAY_LATENESS,
    m.REPLAY_ON_TIME,
    m.REPLAY_RECORDS,
    m.REPLAY_STATE,
    m.REPLAY_SEEN,
    m.LAG,
    m.DUPLICATES,
    m.DEAD_LETTERS,
    m.READ_RECORDS,
    m.REJECTED_RECORDS,
    m.SCRAPE,
    m.ROOMS_LEFT_OUT,
    *m.BROKER_METRICS,
)
"""Metrics of a replay and its machine: at the real dates there was none."""

Labels: TypeAlias = tuple[tuple[str, str], ...]
Nights: TypeAlias = Mapping[str, ResultsView]
"""Counts by engine name."""


@dataclass
class Series:
    """One series: times in seconds since the epoch, and values."""

    times: "array[float]" = field(default_factory=lambda: array("d"))
    values: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, at: float, value: float) -> None:
        """Add a sample; times must ascend."""
        self.times.append(at)
        self.values.append(value)


AllSeries: TypeAlias = dict[str, dict[Labels, Series]]
"""Series by metric name and labels."""


class _FixedSource:
    """Replaces the reader of an exporter."""

    view = RunView()

    def snapshot(self) -> RunView:
        return self.view


def night_of(truth: Truth, info: RunInfo) -> ResultsView:
    """Return the oracle's counts in the form of an engine's."""
    night = EngineResults(info)
    for record in truth.records(info):
        if not isinstance(record, Progress):
            night.put(record)
    return night.view()


def nights_of_tape(tape: Tape) -> tuple[RunInfo, dict[str, ResultsView]]:
    """Return the oracle's counts of a tape, as those of the engine ``truth``.

    Raises:
        TapeError: The tape cannot be read.
    """
    info = info_of(tape)
    return info, {TRUTH: night_of(ask(tape.path, info), info)}


def nights_of_run(view: RunView) -> tuple[RunInfo, dict[str, ResultsView]]:
    """Return the counts of every engine of a run, the truth included.

    Raises:
        ContractError: The run is not known, or no engine has written anything.
    """
    if view.info is None or not view.engines:
        raise ContractError("no engine has written results for this run")
    return view.info, {name: engine.results for name, engine in view.engines.items()}


def info_of(tape: Tape) -> RunInfo:
    """Return run information for a tape's own night; its run id is what the night's name has of letters and digits."""
    name = re.sub(r"[^a-z0-9]+", "-", tape.info.name.lower()).strip("-")[:_LONGEST_NAME]
    names = Topics(f"{name or 'night'}-{tape.info.sha256[:8]}")
    return run_info(tape.info, names, partitions=1, window_ms=DEFAULT_WINDOW_MS, watermark_step_ms=DEFAULT_WINDOW_MS)


def collect(views: Iterable[tuple[int, RunView]], leave_out: Iterable[Metric] = NOT_OF_THE_NIGHT) -> AllSeries:
    """Scrape an exporter at every moment (event time, ms, ascending) and return its series."""
    source, found = _FixedSource(), AllSeries()
    exporter = Exporter(source, rooms=sys.maxsize)
    skip = {metric.name for metric in leave_out}
    for at, view in views:
        source.view = view
        for family in exporter.collect():
            for sample in family.samples:
                if sample.name not in skip:
                    labels = tuple(sorted(sample.labels.items()))
                    found.setdefault(sample.name, {}).setdefault(labels, Series()).add(at / 1000, sample.value)
    return found


def write_openmetrics(series: AllSeries, file: TextIO, metrics: Iterable[Metric] = EXPORTER_METRICS) -> int:
    """Write series in the OpenMetrics text format and return the number of samples."""
    types = {metric.name: metric.type for metric in metrics}
    written = 0
    for name, by_labels in series.items():
        file.write(f"# TYPE {name.removesuffix('_total')} {types[name]}\n")
        for labels, points in by_labels.items():
            inside = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels)
            head = f"{name}{{{inside}}}"
            file.writelines(f"{head} {v!r} {t!r}\n" for t, v in zip(points.times, points.values, strict=True))
            written += len(points.times)
    file.write("# EOF\n")
    return written


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def make_blocks(text: Path, data: Path) -> None:
    """Turn an OpenMetrics file into Prometheus blocks in ``data``, its storage folder.

    Raises:
        EnvironmentMissingError: promtool is not installed.
        JoinstormError: promtool refuses.
    """
    data.mkdir(parents=True, exist_ok=True)
    promtool("tsdb", "create-blocks-from", "openmetrics", str(text), str(data))
