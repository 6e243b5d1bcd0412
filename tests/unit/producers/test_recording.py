"""Recording: the same night gives the same tape, in order, with its metadata."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from producers.recording import Recording, record
from producers.scenario.loading import load
from producers.scenario.spec import Scenario
from producers.tape.tapefile import Tape
from streams.contract.runinfo import Capacity
from streams.errors import TapeError, UsageError
from tests.fulldisk import room_for

GOLDEN = {
    ("launch", 0.002): ("2366caf69bca6358c171a79857db51e36a0e366956ebeb5cdecd382be8424109", 16492),
    ("quiet", 0.2): ("2b24a97307955d083eb86afc371c98d039b84a4045304a16eb59120ed3247579", 1948),
}
"""Hash and events of small tapes of the default seed: they change when the night does, and only then."""


def read(path: Path) -> pa.Table:
    """Return all rows of a tape."""
    return pa.Table.from_batches(Tape.open(path).blocks())


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Record the launch at a small scale, once."""
    return record(load("launch"), tmp_path_factory.mktemp("night") / "launch.parquet", scale=0.002)


@pytest.mark.parametrize(("name", "scale"), GOLDEN)
def test_golden(tmp_path: Path, name: str, scale: float) -> None:
    """Scenario, scale and seed give the tape whose hash was noted, on any machine."""
    info = record(load(name), tmp_path / "tape.parquet", scale=scale).info
    assert (info.sha256, info.events) == GOLDEN[name, scale]


def test_same_seed_same_tape(night: Recording, tmp_path: Path) -> None:
    """Recorded again the tape has the same hash; another seed or scale gives another one."""
    assert record(load("launch"), tmp_path / "a.parquet", scale=0.002).info == night.info
    others = [
        record(load("quiet"), tmp_path / "b.parquet", seed=seed, scale=scale).info.sha256
        for seed, scale in ((1, 0.1), (2, 0.1), (1, 0.11))
    ]
    assert len(set(others)) == 3


def test_the_capacity_is_what_the_rooms_can_hold(night: Recording, tmp_path: Path) -> None:
    """Without an incident it never changes; failed servers take their share away until they are back."""
    whole = load("launch").server.held * 0.002
    assert night.info.capacity == (Capacity(night.info.start, round(whole)),)
    loss = record(load("server-loss"), tmp_path / "loss.parquet", scale=0.002).info
    held = [step.listeners for step in loss.capacity]
    assert held[0] == held[2]
    assert held[1] == pytest.approx(0.6 * held[0], abs=1)
    begun, over = (step.start for step in loss.capacity[1:])
    assert over - begun == 10 * 60_000
    assert {loss_phase.start for loss_phase in loss.phases} >= {begun, over}


def test_the_tape_verifies(night: Recording) -> None:
    """The content of a recorded tape matches its hash."""
    Tape.open(night.path).verify()


def test_the_tape_says_what_it_is(night: Recording) -> None:
    """The tape carries scenario, seed, scale, people, rooms and thread; the scenario can be played again from it."""
    info = night.info
    assert (info.name, info.seed, info.scale, info.spaces) == ("launch", 20230524, 0.002, ("first", "second"))
    assert msgspec.convert(info.scenario, Scenario) == load("launch")
    assert info.people > night.listeners == 1470
    assert info.thread.isdigit()


def test_phases_are_in_order(night: Recording) -> None:
    """The phases have the names that are used everywhere, begin with the night and only go forward."""
    names = [phase.name for phase in night.info.phases]
    assert names == [
        "open", "scheduled_start", "melting", "first_closed", "second_room", "talk", "end", "night", "thread",
        "aftermath",
    ]  # fmt: skip
    starts = [phase.start for phase in night.info.phases]
    assert starts[0] == night.info.start
    assert starts == sorted(set(starts))
    assert [phase.name for phase in night.info.phases if phase.quiet] == ["night", "aftermath"]
    assert night.info.start % 5000 == 0


def test_a_healthy_night_has_one_room(tmp_path: Path) -> None:
    """Where nothing melts there are no phases of melting, one room, and no thread where the scenario has none."""
    info = record(load("quiet"), tmp_path / "tape.parquet", scale=0.1).info
    assert [phase.name for phase in info.phases] == ["open", "scheduled_start", "talk", "end", "night"]
    assert (info.spaces, info.thread, info.announced) == (("first",), "", None)


def test_both_streams_lie_on_the_tape_in_order(night: Recording) -> None:
    """Presence and tweets are merged in order of time, each with its own columns and without the other's."""
    rows = read(night.path)
    at = rows.column("at").to_numpy()
    assert bool((np.diff(at) >= 0).all())
    assert rows.column("event_id").to_numpy().tolist() == list(range(night.info.events))
    tweets = rows.filter(pa.compute.equal(rows.column("topic").cast(pa.string()), "tweets"))
    presence = rows.filter(pa.compute.equal(rows.column("topic").cast(pa.string()), "space.presence"))
    assert tweets.num_rows == night.tweets
    assert presence.num_rows + tweets.num_rows == night.info.events
    for name in ("space", "client", "try", "reason", "since_drop_ms"):
        assert tweets.column(name).null_count == tweets.num_rows
    for name in ("tweet_id", "conversation", "text", "hashtags", "lang", "label_stance", "label_effect"):
        assert presence.column(name).null_count == presence.num_rows
    for name in ("space", "client", "try"):
        assert presence.column(name).null_count == 0


def test_ids_are_dense(night: Recording) -> None:
    """Listeners have the first ids, and every id is below the number of people in the metadata."""
    rows = read(night.path)
    topic = rows.column("topic").cast(pa.string())
    person = rows.column("person").to_numpy()
    listening = person[pa.compute.equal(topic, "space.presence").to_numpy()]
    assert listening.max() < night.listeners
    assert 0 <= person.min() <= person.max() < night.info.people


def test_the_processor_does_not_matter(tmp_path: Path) -> None:
    """With all of numpy's vector instructions switched off the tape is the same."""
    program = (
        "import sys; from producers.recording import record; from producers.scenario.loading import load;"
        "print(record(load('quiet'), sys.argv[1], scale=0.2).info.sha256)"
    )
    numpy = importlib.import_module("numpy._core._multiarray_umath")  # the features are named nowhere else
    features = [name for name in numpy.__cpu_dispatch__ if numpy.__cpu_features__[name]]
    off = {"NPY_DISABLE_CPU_FEATURES": ",".join(features)}
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "a.parquet")],
        env={**os.environ, **off}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == GOLDEN["quiet", 0.2][0]


def test_slices_do_not_show(night: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How much is held in memory at a time makes no difference to the tape."""
    monkeypatch.setattr("producers.recording._SLICE_ROWS", 700)
    monkeypatch.setattr("producers.simulation.presencelog._CHUNK", 300)
    assert record(load("launch"), tmp_path / "tape.parquet", scale=0.002).info.sha256 == night.info.sha256


def test_progress_is_told(tmp_path: Path) -> None:
    """Both stages report their progress, forwards only, to the end."""
    reported: dict[str, list[float]] = {}
    record(
        load("quiet"),
        tmp_path / "a.parquet",
        scale=0.01,
        progress=lambda stage, share: reported.setdefault(stage, []).append(share),
    )
    assert set(reported) == {"rooms", "tape"}
    for shares in reported.values():
        assert shares == sorted(shares)
        assert shares[-1] == 1.0


@pytest.mark.parametrize("scale", [0.0, -1.0, 100.5, float("nan")])
def test_impossible_scale(tmp_path: Path, scale: float) -> None:
    """A scale that is not above zero or too large is refused with what is allowed."""
    with pytest.raises(UsageError, match="expected more than 0, at most 100"):
        record(load("quiet"), tmp_path / "a.parquet", scale=scale)


def test_impossible_seed(tmp_path: Path) -> None:
    """A negative seed is refused."""
    with pytest.raises(UsageError, match="seed -1: expected 0 to"):
        record(load("quiet"), tmp_path / "a.parquet", seed=-1)


def test_too_many_listeners(tmp_path: Path) -> None:
    """A crowd beyond what can be simulated is refused before anything is allocated."""
    with pytest.raises(UsageError, match="735,000,000 listeners; at most"):
        record(load("storm"), tmp_path / "a.parquet", scale=100)


def test_a_place_that_is_not_there(tmp_path: Path) -> None:
    """A folder that does not exist is an error that names the tape."""
    with pytest.raises(TapeError, match=r"none/a\.parquet"):
        record(load("quiet"), tmp_path / "none" / "a.parquet")


def test_a_full_disk(tmp_path: Path) -> None:
    """A disk that is full while the rooms are simulated: path and reason are named, and nothing is left."""
    with pytest.raises(TapeError, match=r"a\.parquet: .*cannot be written: File too large$"), room_for(100):
        record(load("quiet"), tmp_path / "a.parquet", scale=0.5)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_when_recording_fails(tmp_path: Path) -> None:
    """When recording stops half-way, no tape and no other file is left behind."""

    def stop(stage: str, share: float) -> None:
        if stage == "tape" and share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record(load("quiet"), tmp_path / "a.parquet", scale=0.1, progress=stop)
    assert list(tmp_path.iterdir()) == []
