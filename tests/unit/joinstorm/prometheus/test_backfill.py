"""A night at given moments as text: which metrics, in which form."""

import io
from pathlib import Path

import msgspec
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from joinstorm.oracle.answers import Truth
from joinstorm.prometheus.backfill import (
    NOT_OF_THE_NIGHT,
    AllSeries,
    Series,
    collect,
    info_of,
    night_of,
    write_openmetrics,
)
from producers.recording import record
from producers.scenario.loading import load
from producers.tape.tapefile import Tape
from streams.metrics.definitions import EXPORTER_METRICS
from tests.nights import START, WINDOW, run_info
from tests.nightviews import view_at

TRUTH = Truth(
    audience={
        (START, "first"): {
            "attempts": 5,
            "arrivals": 5,
            "joins": 4,
            "first_joins": 4,
            "fails": 1,
            "joins_by_client:web": 4,
            "fails_by_client:web": 1,
            "fails_by_reason:overloaded": 1,
        },
        (START + WINDOW, "first"): {"drops": 3, "drops_by_client:web": 3, "drops_by_reason:overloaded": 3},
        (START, "*"): {"first_joins": 4, "time_to_join:448": 4, "time_to_exit:7168": 1},
        (START + WINDOW, "second"): {"time_to_rejoin:4096": 1},
    },
    reaction={(START + WINDOW, "launch"): {"posts": 2, "hashtag:night": 1}},
    estimates={(START + WINDOW, "launch"): {"stance:mockery": 2}},
    events={"space.presence": 13, "tweets": 2},
)


def series() -> AllSeries:
    """Return the series of a night of three moments."""
    info = run_info()
    nights = {"truth": night_of(TRUTH, info)}
    return collect((at, view_at(info, nights, at)) for at in (START, START + WINDOW, START + 2 * WINDOW))


def test_values_are_as_of_each_moment() -> None:
    """A window's events are there from its end on."""
    audience = series()["joinstorm_audience_listeners"][("engine", "truth"), ("space", "first")]
    assert list(audience.values) == [0, 4, 1]
    assert [at - START / 1000 for at in audience.times] == [0, 5, 10]


def test_progress_is_what_the_counts_say() -> None:
    """Distinct events by topic, from the counts alone."""
    covered = view_at(run_info(), {"truth": night_of(TRUTH, run_info())}, START + 2 * WINDOW).engines["truth"].covered
    assert covered.events == {"space.presence": 13, "tweets": 2}


def test_nothing_is_said_about_a_replay_that_never_was() -> None:
    """Speed, lateness and scrapes have no place at the real dates; everything of the night has."""
    names = set(series())
    assert not names & {metric.name for metric in NOT_OF_THE_NIGHT}
    of_the_night = {metric.name for metric in EXPORTER_METRICS} - {metric.name for metric in NOT_OF_THE_NIGHT}
    # No engine to compare with, no capacity in the run, nothing of the announcement before it was made.
    absent = {
        name for name in of_the_night - names if not any(word in name for word in ("error", "reaction", "capacity"))
    }
    assert absent == set()


def parsed(file: io.StringIO) -> list[Metric]:
    """Return what the reference parser reads."""
    return list(text_string_to_metric_families(file.getvalue()))  # type: ignore[no-untyped-call]  # no annotations


def test_any_name_makes_a_run_id(tmp_path: Path) -> None:
    """A recording may be called anything; what a run id cannot hold becomes a hyphen."""
    tape = Tape.open(record(load("quiet"), tmp_path / "tape.parquet", scale=0.01, seed=1).path)
    for name, begins in (("Spring town hall!", "spring-town-hall-"), ("\u4f1a\u8bae", "night-")):
        tape.info = msgspec.structs.replace(tape.info, name=name)
        assert info_of(tape).run == begins + tape.info.sha256[:8]


def test_the_text_is_openmetrics() -> None:
    """The reference parser reads every sample back, values, labels and times."""
    file = io.StringIO()
    written = write_openmetrics(series(), file)
    families = parsed(file)
    samples = [sample for family in families for sample in family.samples]
    assert len(samples) == written
    drops = [
        (float(str(sample.timestamp)), sample.value)
        for sample in samples
        if sample.name == "joinstorm_presence_events_total" and sample.labels["kind"] == "drop"
    ]
    assert (START / 1000 + 10, 3) in drops


def test_label_values_are_escaped() -> None:
    """Whatever a scenario is called, the text stays whole."""
    awkward = 'a "b"\\c\nd'
    one = Series()
    one.add(1.5, 2)
    file = io.StringIO()
    write_openmetrics({"joinstorm_run_info": {(("scenario", awkward),): one}}, file)
    (family,) = parsed(file)
    assert family.samples[0].labels == {"scenario": awkward}
