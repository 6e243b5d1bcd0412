"""A night as samples: what a Prometheus would have scraped from the exporter at every step of it, kept as Parquet.

The counts are the oracle's, under the engine name ``truth``; the reader of the samples names the engine.
"""

import bisect
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from joinstorm.prometheus.backfill import nights_of_tape
from joinstorm.prometheus.nightcolumns import night_columns
from joinstorm.prometheus.remoteread import NAME, STALE, LabelPairs, RemoteSeries
from producers.recording import expected_of
from producers.scenario.incidentspec import ExpectSpec
from producers.tape.tapefile import Tape
from producers.tape.tapeformat import TapeInfo
from streams.contract.names import TRUTH
from streams.contract.runinfo import Phase

_KEY: Final = b"joinstorm-samples"
_TIMES: Final = "at"


class NightInfo(msgspec.Struct, frozen=True):
    """Which night the samples are of."""

    scenario: str
    scale: float
    seed: int
    tape_sha256: str
    start: int
    """First moment, in milliseconds since the epoch."""
    end: int
    """Last moment."""
    phases: tuple[Phase, ...]
    simulated: bool
    """Made from a scenario; an imported night has phases of its own."""
    spaces: tuple[str, ...]
    expect: ExpectSpec
    """The phases in which an alert on the night's incidents has to fire, and those in which it may."""

    @property
    def name(self) -> str:
        """Scenario and seed."""
        return f"{self.scenario}, seed {self.seed}"

    def ends(self) -> list[int]:
        """Return the end of each phase."""
        return [*(phase.start for phase in self.phases[1:]), self.end + 1]

    def phase_at(self, at: int) -> str:
        """Return the name of the phase that holds event time ``at``."""
        return self.phases[max(0, bisect.bisect_right([phase.start for phase in self.phases], at) - 1)].name


def night_of(tape: TapeInfo) -> NightInfo:
    """Return which night a tape is of."""
    return NightInfo(
        tape.name, tape.scale, tape.seed, tape.sha256, tape.start, tape.end, tape.phases,
        bool(tape.scenario), tape.spaces, expected_of(tape),
    )  # fmt: skip


def write_samples(tape: Path, out: Path, step: int) -> NightInfo:
    """Sample a tape's night and write it; the file appears when it is complete.

    Args:
        tape: The tape.
        out: The file to write.
        step: Milliseconds between samples.

    Raises:
        TapeError: The tape cannot be read.
    """
    opened = Tape.open(tape)
    run, nights = nights_of_tape(opened)
    moments = np.arange(run.start, run.end + 1, step)
    info = night_of(opened.info)
    columns: dict[str, pa.Array] = {_TIMES: pa.array(moments)}
    for (name, labels), column in night_columns(run, nights[TRUTH], moments.tolist()).items():
        key = msgspec.json.encode(sorted([(NAME, name), *labels])).decode()
        columns[key] = pa.array(column.values, mask=~column.present)
    table = pa.table(columns).replace_schema_metadata({_KEY: msgspec.json.encode(info)})
    partial = out.with_suffix(f".{os.getpid()}.tmp")
    pq.write_table(table, partial, compression="zstd", row_group_size=len(moments))
    partial.replace(out)
    return info


@dataclass(frozen=True, eq=False)
class NightSamples:
    """Samples of a night; series are read from the file when they are asked for.

    Args:
        path: The file.
        info: Which night.
        engine: The value of the label ``engine``.
    """

    path: Path
    info: NightInfo
    engine: str

    @classmethod
    def open(cls, path: Path, engine: str) -> "NightSamples":
        """Open a file of samples; raises OSError or pyarrow's ArrowInvalid if it is none."""
        metadata = pq.read_schema(path).metadata
        return cls(path, msgspec.json.decode(metadata[_KEY], type=NightInfo), engine)

    def metrics(self) -> frozenset[str]:
        """Return the metrics that have a series."""
        return frozenset(dict(_pairs(name))[NAME] for name in pq.read_schema(self.path).names if name != _TIMES)

    def read(self, metrics: frozenset[str]) -> list[RemoteSeries]:
        """Return the series of some metrics."""
        names = {name: dict(_pairs(name))[NAME] for name in pq.read_schema(self.path).names if name != _TIMES}
        wanted = [name for name, metric in names.items() if metric in metrics]
        table = pq.read_table(self.path, columns=[_TIMES, *wanted])
        times = table.column(_TIMES).to_numpy()
        return [self._series(name, times, table.column(name)) for name in wanted]

    def _series(self, key: str, times: NDArray[np.int64], column: pa.ChunkedArray) -> RemoteSeries:
        labels = tuple(
            (name, self.engine if (name, value) == ("engine", TRUTH) else value) for name, value in _pairs(key)
        )
        whole = column.combine_chunks()
        present = whole.is_valid().to_numpy(zero_copy_only=False)
        values = whole.fill_null(0.0).to_numpy(zero_copy_only=False)
        return with_ends(labels, times, values, present)


def _pairs(key: str) -> LabelPairs:
    return msgspec.json.decode(key, type=LabelPairs)


def with_ends(
    labels: LabelPairs, times: NDArray[np.int64], values: NDArray[np.float64], present: NDArray[np.bool_]
) -> RemoteSeries:
    """Return a series with a mark where it ends, as a scrape or a rule leaves one.

    Args:
        labels: Its labels.
        times: Every moment (ms) at which it could have a sample.
        values: One for every moment.
        present: Whether it has one.
    """
    ends = np.zeros(len(times), np.bool_)
    ends[1:] = present[:-1] & ~present[1:]
    kept = present | ends
    return RemoteSeries(labels, times[kept], np.where(ends, STALE, values)[kept])
