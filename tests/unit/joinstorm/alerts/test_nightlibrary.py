"""The cache of nights: sampled once, found again, and other versions' folders removed when long unused."""

import os
from pathlib import Path

from joinstorm.alerts import nightlibrary
from joinstorm.alerts.nightlibrary import NightSource, known_samples, samples_of
from joinstorm.alerts.nightsamples import NightSamples
from producers.recording import record
from producers.scenario.loading import load

QUIET = NightSource(scenario=load("quiet"), scale=0.1, seed=3)


def test_a_night_is_sampled_once(tmp_path: Path) -> None:
    """The second time it comes from the cache; a tape with the same content is the same night."""
    assert known_samples(QUIET, 60_000, tmp_path) is None
    first = samples_of(QUIET, 60_000, tmp_path)
    assert known_samples(QUIET, 60_000, tmp_path) == first
    written = first.stat().st_mtime_ns
    assert samples_of(QUIET, 60_000, tmp_path) == first
    tape = record(load("quiet"), tmp_path / "tape.parquet", scale=0.1, seed=3).path
    assert samples_of(NightSource(tape=tape), 60_000, tmp_path) == first
    assert first.stat().st_mtime_ns == written
    assert samples_of(QUIET, 30_000, tmp_path) != first


def test_the_samples_are_those_of_the_engine_that_is_asked_for(tmp_path: Path) -> None:
    """The oracle's counts under any engine's name; series end with a mark."""
    samples = NightSamples.open(samples_of(QUIET, 60_000, tmp_path), "mine")
    series = samples.read(frozenset({"joinstorm_audience_listeners"}))
    assert [dict(one.labels) for one in series] == [
        {"__name__": "joinstorm_audience_listeners", "engine": "mine", "space": "first"}
    ]
    assert "joinstorm_drop_ratio" in samples.metrics()
    assert samples.info.name == "quiet, seed 3"
    assert samples.info.simulated


def test_other_versions_are_removed_when_long_unused(tmp_path: Path) -> None:
    """A version in use beside this one keeps its nights."""
    old, fresh = tmp_path / "old", tmp_path / "fresh"
    old.mkdir()
    fresh.mkdir()
    os.utime(old, (0, 0))
    samples_of(QUIET, 60_000, tmp_path)
    assert (old.exists(), fresh.exists()) == (False, True)
    assert (tmp_path / nightlibrary.code_digest()).is_dir()
