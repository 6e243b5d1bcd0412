"""A whole night at once is what the exporter serves moment by moment."""

from pathlib import Path

import numpy as np
import pytest

from joinstorm.prometheus.backfill import collect, nights_of_tape
from joinstorm.prometheus.nightcolumns import night_columns
from producers.recording import record
from producers.scenario.loading import load
from producers.tape.tapefile import Tape
from tests.nightviews import view_at


@pytest.mark.parametrize(("scenario", "scale", "step"), [("launch", 0.005, 900_000), ("quiet", 1.0, 60_000)])
def test_every_series_is_the_exporters(tmp_path: Path, scenario: str, scale: float, step: int) -> None:
    """The same series, present at the same moments, with the same values to the last bit."""
    tape = record(load(scenario), tmp_path / "tape.parquet", scale=scale, seed=2).path
    info, nights = nights_of_tape(Tape.open(tape))
    moments = [*range(info.start, info.end, step), info.end]
    columns = night_columns(info, nights["truth"], moments)
    served = collect((at, view_at(info, nights, at)) for at in moments)
    wanted = {(name, labels): series for name, by_labels in served.items() for labels, series in by_labels.items()}
    assert set(columns) == set(wanted)
    for key, series in wanted.items():
        column = columns[key]
        assert (np.array(moments)[column.present] / 1000).tolist() == list(series.times), key
        assert column.values[column.present].tolist() == list(series.values), key
