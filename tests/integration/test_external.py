"""The engine ``external``: the program belongs to its worker, whatever ends the worker."""

import os
import shlex
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from kafka import KafkaProducer

from producers.replay.opening import open_run, publish_once
from producers.replay.topiccreation import ensure_topics
from streams.contract.results import Progress, encode, key_of
from streams.contract.runinfo import RunInfo
from streams.contract.runinfo import encode as encode_info
from streams.contract.topics import INPUTS, RESULTS_PROGRESS, RUN_INFO
from streams.engines.shared.simplefold import PartitionFold
from streams.errors import EXIT_INTERRUPTED
from streams.golden import load
from streams.kafka.connection import Connection
from tests.streaming import until
from tests.tinytape import tiny_tape

pytestmark = pytest.mark.integration

SITS = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(600)"


def test_the_program_ends_with_a_worker_that_is_killed(kafka: Connection, tmp_path: Path) -> None:
    """A worker that gets SIGKILL cannot end its program any more: the kernel does."""
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux tells a child of its parent's death")
    info = open_run(kafka, tiny_tape(tmp_path / "night.parquet").info, run=f"external-{uuid.uuid4().hex[:8]}")
    told = tmp_path / "pid"
    option = "command=" + shlex.join([sys.executable, "-c", SITS, str(told)])
    where = ["--bootstrap-servers", kafka.bootstrap_servers, "--run", info.run]
    command = [sys.executable, "-m", "joinstorm.cli", "stream", "--engine", "external", "--option", option, *where]
    with subprocess.Popen(command, cwd=tmp_path) as worker:
        try:
            until(lambda: told.exists() and told.read_text().isdigit(), "the program has started")
        finally:
            worker.kill()
    until(lambda: not _lives(int(told.read_text())), "the program is gone")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    return state != "Z"


def test_a_program_that_was_told_to_stop_is_no_fault(kafka: Connection, tmp_path: Path) -> None:
    """Worker and program get the same signal, as by Ctrl-C or a supervisor; the program may die of it first."""
    info = open_run(kafka, tiny_tape(tmp_path / "night.parquet").info, run=f"external-{uuid.uuid4().hex[:8]}")
    told = tmp_path / "pid"
    engine = "external:" + shlex.join([sys.executable, "-c", SITS, str(told)])
    where = ["--bootstrap-servers", kafka.bootstrap_servers, "--run", info.run]
    command = [sys.executable, "-m", "joinstorm.cli", "stream", "--engine", engine, *where]
    with subprocess.Popen(command, cwd=tmp_path, start_new_session=True, stderr=subprocess.PIPE, text=True) as worker:
        try:
            until(lambda: told.exists() and told.read_text().isdigit(), "the program has started")
            os.killpg(worker.pid, signal.SIGTERM)
            _, problem = worker.communicate(timeout=60)
        finally:
            worker.kill()
    assert worker.returncode == EXIT_INTERRUPTED, problem
    assert "before the run was done" not in problem


def _written(kafka: Connection, run: str, engine: str, *, foreign: int) -> RunInfo:
    """Open the golden night ``doors`` and write an engine's whole progress, behind that of another run."""
    night = load("doors").moved(run, f"{run}.")
    specs = night.info.names().specs(night.info.partitions)
    ensure_topics(kafka, specs[: len(INPUTS)], specs[len(INPUTS) :], 1)
    publish_once(kafka, night.info.names().shared(RUN_INFO), run, encode_info(night.info))
    folds = [PartitionFold(night.info, engine, base, p) for base in INPUTS for p in range(night.info.partitions)]
    for r in night.records:
        next(f for f in folds if (f.topic, f.partition) == (r.topic, r.partition)).step(r.value, 0)
    other = Progress.of_partition("another-run", engine, "tweets", 0)
    producer = KafkaProducer(**kafka.for_kafka_python(), linger_ms=20)
    for one in [*[other] * foreign, *(fold.take()[-1] for fold in folds)]:
        producer.send(night.info.topics[RESULTS_PROGRESS], encode(one), key=key_of(one))
    producer.flush()
    producer.close()
    return night.info


def _stream(kafka: Connection, info: RunInfo) -> subprocess.CompletedProcess[str]:
    """Run a worker of the engine ``mine`` whose program ends at once."""
    where = ["--bootstrap-servers", kafka.bootstrap_servers, "--run", info.run, "--topic-prefix", info.prefix]
    engine = ["--engine", "external", "--option", "command=true", "--name", "mine"]
    return subprocess.run(
        [sys.executable, "-m", "joinstorm.cli", "stream", *engine, *where],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.timeout(300)
def test_a_right_program_behind_30000_records_of_others_is_done(kafka: Connection, unique_run: str) -> None:
    """Progress is read to its end before a program that has ended is judged; the figures are the engine's."""
    done = _stream(kafka, _written(kafka, unique_run, "mine", foreign=30_000))
    assert done.returncode == 0, done.stderr
    assert "done; 21 events, 4 duplicates" in done.stdout


def test_what_is_missing_is_named(kafka: Connection, unique_run: str) -> None:
    """A program that writes under another name is not done: the reason has the partitions and the other name."""
    done = _stream(kafka, _written(kafka, unique_run, "somebody", foreign=0))
    assert done.returncode == 1
    assert "no progress with ended under the name 'mine' for space.presence[0], space.presence[1]" in done.stderr
    assert "under other names: 4 under 'somebody'" in done.stderr
