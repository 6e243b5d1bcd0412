"""A replay through a real broker, with both clients: what is read back is the tape, in order, marked and keyed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from joinstorm.cli import cli
from producers.replay.deck import Deck
from producers.replay.opening import open_run, opened_run
from producers.replay.playback import PlaybackRequest, PlaybackResult, Replay
from producers.senders.registry import CLIENTS, sender_factory
from producers.tape.tapefile import Tape
from streams.contract import runinfo
from streams.contract.runinfo import RunInfo, RunStatus
from streams.contract.topics import RUN_STATUS
from streams.errors import BrokerError, ContractError, UsageError
from streams.kafka.connection import Connection
from streams.kafka.topicreader import read_all
from tests.replaying import check_marks, play, read_back, renamed
from tests.tinytape import tiny_tape

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Return a night large enough for whole batches."""
    return tiny_tape(tmp_path_factory.mktemp("tape") / "night.parquet", people=900)


def opened(kafka: Connection, tape: Tape, run: str) -> RunInfo:
    """Open a run of two partitions."""
    return open_run(kafka, tape.info, run=run, partitions=2, watermark_step_ms=10_000)


def replay(kafka: Connection, tape: Tape, info: RunInfo, client: str, **settings: Any) -> PlaybackResult:
    """Play a tape with a client."""
    how = PlaybackRequest(**settings)
    return Replay(tape, info, sender_factory(client, kafka, paced=how.speed > 0), Deck(), how).play()


def last_status(kafka: Connection, run: str) -> RunStatus | None:
    """Return a run's newest status."""
    statuses = [record.value for record in read_all(kafka, RUN_STATUS) if record.key == run.encode()]
    return runinfo.decode_status(statuses[-1]) if statuses else None


@pytest.mark.parametrize("client", CLIENTS)
def test_the_broker_holds_the_tape(kafka: Connection, unique_run: str, tape: Tape, client: str) -> None:
    """As fast as it goes: record for record what the list sender was given, and a status that says ended."""
    info = opened(kafka, tape, unique_run)
    result = replay(kafka, tape, info, client)
    assert (result.state, result.sent, result.failed, result.client) == ("ended", tape.rows, 0, client)
    found = read_back(kafka, info)
    assert found == renamed(play(tape), info)
    check_marks(found, info)
    status = last_status(kafka, unique_run)
    assert status is not None
    assert (status.state, status.sent, status.at) == ("ended", tape.rows, info.end)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_paced_replay_keeps_its_schedule(kafka: Connection, unique_run: str, tape: Tape, client: str) -> None:
    """At speed 240 the ten minutes take no less than 2.5 s, every event is paced and nothing is lost."""
    info = opened(kafka, tape, unique_run)
    result = replay(kafka, tape, info, client, speed=240)
    assert result.seconds >= 2.4
    assert (result.sent, result.paced) == (tape.rows, tape.rows)
    assert result.lateness_p50 <= result.acknowledged_p50
    assert read_back(kafka, info) == renamed(play(tape), info)


def test_a_run_is_played_once(kafka: Connection, unique_run: str, tape: Tape) -> None:
    """An opened run is found until it is played; then its records stand in the way."""
    assert opened_run(kafka, unique_run) is None
    info = opened(kafka, tape, unique_run)
    assert opened_run(kafka, unique_run) == info
    replay(kafka, tape, info, "aiokafka")
    with pytest.raises(ContractError, match=r"has been played: .* hold \d+ records"):
        opened_run(kafka, unique_run)


@pytest.mark.parametrize("client", CLIENTS)
def test_nobody_at_the_address(tape: Tape, client: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender of a broker that is not there is an error that names the address."""
    monkeypatch.setattr("producers.senders.kafka_python.ANSWER_SECONDS", 0.5)
    monkeypatch.setattr("producers.senders.aio.ANSWER_SECONDS", 0.5)
    monkeypatch.setattr("streams.kafka.patience.WAIT_SECONDS", 0.5)
    with pytest.raises(BrokerError, match=r"127\.0\.0\.1:1"):
        sender_factory(client, Connection("127.0.0.1:1"), paced=False)(None)  # type: ignore[arg-type] # never called
    with pytest.raises(UsageError, match=r"unknown client 'pulsar'\. Known: kafka-python, aiokafka"):
        sender_factory("pulsar", Connection(), paced=False)


def test_the_command_plays_an_opened_run_and_tells_in_json(kafka: Connection, unique_run: str, tape: Tape) -> None:
    """``joinstorm replay`` plays the run it is given and prints one line of JSON; an altered tape is refused."""
    info = opened(kafka, tape, unique_run)
    arguments = ["--bootstrap-servers", kafka.bootstrap_servers, "--run", unique_run, "--client", "aiokafka"]
    done = CliRunner().invoke(cli, ["replay", str(tape.path), "--speed", "max", "--format", "json", *arguments])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["run"], told["sent"], told["failed"]) == (unique_run, tape.rows, 0)
    assert sum(map(len, read_back(kafka, info).values())) > tape.rows


@pytest.mark.parametrize("client", CLIENTS)
def test_a_stopped_command_says_failed(kafka: Connection, unique_run: str, tape: Tape, client: str) -> None:
    """SIGTERM ends a paced replay within seconds with exit code 130, and its run says failed."""
    command = [sys.executable, "-m", "joinstorm.cli", "replay", str(tape.path), "--speed", "1", "--client", client]
    command += ["--bootstrap-servers", kafka.bootstrap_servers, "--run", unique_run]
    with subprocess.Popen(command, env={**os.environ, "PYTHONUNBUFFERED": "1"}) as process:
        deadline = time.monotonic() + 60
        while not playing(kafka, unique_run):
            assert time.monotonic() < deadline
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 130
    status = last_status(kafka, unique_run)
    assert status is not None
    assert status.state == "failed"


def playing(kafka: Connection, run: str) -> bool:
    """Whether a run's status says so."""
    status = last_status(kafka, run)
    return status is not None and status.state == "playing"


def test_an_altered_tape_is_refused(kafka: Connection, tmp_path: Path) -> None:
    """A tape whose content is not what was recorded is not sent: exit code 2 and a text that says so."""
    tape = tiny_tape(tmp_path / "night.parquet")
    data = tape.path.read_bytes().replace(tape.info.sha256.encode(), b"0" * 64)
    tape.path.write_bytes(data)
    arguments = ["replay", str(tape.path), "--bootstrap-servers", kafka.bootstrap_servers]
    with subprocess.Popen(
        [sys.executable, "-m", "joinstorm.cli", *arguments], stderr=subprocess.PIPE, text=True
    ) as process:
        _, told = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "altered" in told
