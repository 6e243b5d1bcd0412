"""A night is written while it plays: what a Prometheus has in the end is what the engine's counts say."""

import itertools
from collections.abc import Iterable
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joinstorm.prometheus import eventtime
from joinstorm.prometheus.nightcolumns import engine_columns
from joinstorm.prometheus.nightwriter import NightWriter
from joinstorm.prometheus.remoteread import NAME, STALE, LabelPairs, RemoteSeries
from streams.contract.progress import Covered
from streams.contract.results import Result
from streams.contract.runinfo import Phase, RunInfo, RunStatus
from streams.errors import EnvironmentMissingError
from streams.metrics.definitions import EVENT_TIME_METRICS, EXPORTER_METRICS, OF_THE_NIGHT, WORKER_METRICS
from streams.read.derive import EngineResults
from streams.read.runview import EngineView, RunView
from tests.nights import START, WINDOW, WINDOWS, audience, audiences, reactions, run_info

INFO = run_info()
STALE_BITS = STALE.view(np.int64)


class Store:
    """Replaces a Prometheus: the first sample of a timestamp stays, and a query finds the newest one."""

    def __init__(self) -> None:
        self.series: dict[LabelPairs, dict[int, float]] = {}
        self.away = False

    def write(self, series: Iterable[RemoteSeries]) -> None:
        """Keep what is new."""
        for one in series:
            if self.away:
                raise EnvironmentMissingError("away")
            assert sorted(one.labels) == list(one.labels)
            known = self.series.setdefault(one.labels, {})
            for stamp, value in zip(one.times.tolist(), one.values, strict=True):
                known.setdefault(stamp, value)

    def at(self, labels: LabelPairs, moment: int) -> float | None:
        """Return the value of a series at a moment; None where it has ended or not begun."""
        known = self.series.get(labels, {})
        newest = max((stamp for stamp in known if stamp <= moment), default=None)
        if newest is None or known[newest].view(np.int64) == STALE_BITS:  # type: ignore[attr-defined]  # numpy's float
            return None
        return float(known[newest])


def seen(results: EngineResults, watermark: int, at: int | None = None) -> RunView:
    """Return a view of the run with one engine up to its watermark."""
    engine = EngineView("e", results.view(), Covered(watermark=watermark), {})
    status = RunStatus(
        v=1, run=INFO.run, state="playing", at=watermark if at is None else at, speed=1.0, actual_speed=1.0, sent=0,
        failed=0, on_time_ratio=1.0, lateness_seconds=0.0, client="", wall_ms=0,
    )  # fmt: skip
    return RunView(info=results.info, status=status, engines={"e": engine})


def is_what_the_counts_say(store: Store, results: EngineResults, until: int) -> None:
    """Compare every series at every moment up to a time."""
    moments = eventtime.moments(results.info)
    at = moments[moments <= until]
    columns = engine_columns(results.info, "e", results.view(), at)
    twins = {metric.name: twin.name for metric, twin in zip(OF_THE_NIGHT, EVENT_TIME_METRICS, strict=True)}
    wanted = {
        tuple(sorted([(NAME, twins[name]), ("run", results.info.run), *labels])): column
        for (name, labels), column in columns.items()
    }
    of_engine = {labels for labels in store.series if ("engine", "e") in labels}
    for labels in wanted.keys() | of_engine:
        for place, moment in enumerate(at.tolist()):
            column = wanted.get(labels)
            value = None if column is None or not column.present[place] else float(column.values[place])
            assert store.at(labels, moment) == value, (labels, moment)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.lists(st.one_of(audiences, reactions), max_size=4), st.integers(0, WINDOWS)), max_size=5))
def test_late_results_correct_the_past(steps: list[tuple[list[Result], int]]) -> None:
    """Whatever is added in whichever order, each series has at each moment what the newest counts say."""
    store, results, reached = Store(), EngineResults(INFO), 0
    writer = NightWriter(store)
    shards = map(str, itertools.count())  # a shard of its own for each record: all of them add up
    for records, windows in steps:
        for record in records:
            results.put(msgspec.structs.replace(record, shard=next(shards)))
        reached = max(reached, windows)
        writer.write(seen(results, START + reached * WINDOW))
    if steps:
        is_what_the_counts_say(store, results, START + reached * WINDOW)


def test_a_window_is_written_when_the_watermark_has_passed_it() -> None:
    """Not before; and the run's own series only as far as the replay has come."""
    store, results = Store(), EngineResults(INFO)
    results.put(audience(0, "first", {"joins": 3}))
    writer = NightWriter(store)
    writer.write(seen(results, START + WINDOW - 1, START + 2 * WINDOW))
    joined = next(
        labels for labels in store.series if ("space", "first") in labels and "audience_listeners" in labels[0][1]
    )
    assert list(store.series[joined]) == [START - 1000]
    clock = next(labels for labels in store.series if "replay_event" in labels[0][1])
    assert list(store.series[clock]) == [START - 1000, START + WINDOW - 1000, START + 2 * WINDOW - 1000]
    writer.write(seen(results, START + WINDOW))
    assert store.series[joined] == {START - 1000: 0, START + WINDOW - 1000: 3}


def test_a_correction_is_stamped_after_what_it_corrects() -> None:
    """A late join raises the audience of every window written, each a millisecond later; others are left alone."""
    store, results = Store(), EngineResults(INFO)
    writer = NightWriter(store)
    writer.write(seen(results, START + 3 * WINDOW))
    results.put(audience(1, "first", {"joins": 1}))
    writer.write(seen(results, START + 3 * WINDOW))
    joined = next(
        labels for labels in store.series if ("space", "first") in labels and "audience_listeners" in labels[0][1]
    )
    other = next(
        labels for labels in store.series if ("space", "second") in labels and "audience_listeners" in labels[0][1]
    )
    first = START - 1000
    assert store.series[joined] == {
        first: 0, first + WINDOW: 0, first + 2 * WINDOW: 0, first + 3 * WINDOW: 0,
        first + 2 * WINDOW + 1: 1, first + 3 * WINDOW + 1: 1,
    }  # fmt: skip
    assert len(store.series[other]) == 4


def test_another_run_begins_anew() -> None:
    """A jump back opens a new run: its series have its own label, and the old ones stay."""
    store, results = Store(), EngineResults(INFO)
    writer = NightWriter(store)
    writer.write(seen(results, START + 3 * WINDOW))
    again = EngineResults(msgspec.structs.replace(INFO, run="run-2"))
    writer.write(replace(seen(again, START + WINDOW), info=again.info))
    runs = {run: len(stamps) for labels, stamps in store.series.items() if (run := dict(labels)["run"])}
    assert runs == {"run-1": 4, "run-2": 2}


def test_what_could_not_be_written_is_written_later() -> None:
    """A receiver that is away for a while misses nothing."""
    store, results = Store(), EngineResults(INFO)
    results.put(audience(0, "first", {"joins": 3}))
    writer = NightWriter(store)
    store.away = True
    with pytest.raises(EnvironmentMissingError):
        writer.write(seen(results, START + 2 * WINDOW))
    store.away = False
    results.put(audience(0, "second", {"joins": 1}))
    writer.write(seen(results, START + 3 * WINDOW))
    is_what_the_counts_say(store, results, START + 3 * WINDOW)


def test_quiet_phases_are_written_every_minute_and_long_nights_less_often() -> None:
    """The first and the last moment are always there."""
    phases = (Phase("open", START), Phase("night", START + 60_000, quiet=True))
    offsets = (eventtime.moments(msgspec.structs.replace(INFO, phases=phases)) - START) // 1000
    assert offsets.tolist() == [*range(0, 60, 5), 60, 120, 180, 200]
    year = msgspec.structs.replace(INFO, end=START + 365 * 86_400_000)
    assert len(eventtime.moments(year)) <= 20_002


def test_a_night_that_cannot_be_written_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """Hundreds of rooms, or a date that the format does not hold, are named once."""
    store = Store()
    many: RunInfo = msgspec.structs.replace(INFO, spaces=tuple(f"room-{number}" for number in range(101)))
    early: RunInfo = msgspec.structs.replace(INFO, run="run-2", start=0, end=100_000)
    for info, reason in ((many, "101 rooms"), (early, "1971")):
        writer = NightWriter(store)
        view = replace(seen(EngineResults(INFO), START), info=info)
        writer.write(view)
        writer.write(view)
        assert [reason in record.getMessage() for record in caplog.records] == [True]
        caplog.clear()
    assert store.series == {}


def test_no_event_time_series_has_a_name_that_is_scraped() -> None:
    """So no rule over scraped series reads one."""
    scraped = {metric.name for metric in (*EXPORTER_METRICS, *WORKER_METRICS)}
    assert not scraped & {metric.name for metric in EVENT_TIME_METRICS}
    assert all(metric.labels[0] == "run" for metric in EVENT_TIME_METRICS)
