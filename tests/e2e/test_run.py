"""The whole job as a user runs it: every part a process of its own, a real broker, the verdict on stdout."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from streams.contract.names import TRUTH
from streams.errors import EXIT_ENVIRONMENT, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE
from streams.exporter.collector import Exporter
from streams.kafka.connection import Connection
from streams.metrics.definitions import ERROR_MAX
from streams.read.reader import ResultReader

pytestmark = [pytest.mark.e2e, pytest.mark.integration]
SCALE = "0.005"
EXTRA = ("kafka-python", "broken")


def joinstorm(*arguments: str, seconds: float = 240) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "joinstorm.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)


def run(kafka: Connection, out: Path, *options: str) -> dict[str, Any]:
    """Run a small night and return its verdict, which must be exact."""
    where = ["--bootstrap-servers", kafka.bootstrap_servers, "--out", str(out), "--format", "json"]
    done = joinstorm("run", "launch", "--scale", SCALE, *where, *options)
    assert done.returncode == EXIT_OK, done.stderr
    verdict: dict[str, Any] = json.loads(done.stdout)
    assert verdict["exact"], verdict
    assert verdict == json.loads((out / "verdict.json").read_text())
    return verdict


@pytest.fixture(scope="module")
def plain(kafka: Connection, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One plain run; the others are held against it."""
    return run(kafka, tmp_path_factory.mktemp("plain"))


def test_a_run_is_exact_and_reports_its_work(plain: dict[str, Any]) -> None:
    """The verdict has the digest of the truth, no difference, and seconds and rates per stage."""
    assert plain["digest"] == plain["truth_digest"]
    assert plain["mismatches"] == 0
    assert plain["records_compared"] > 1_000
    assert plain["seconds"]["total"] > 0
    assert plain["events_per_second"]["replay"] > 0
    assert {"python", "kafka", "faust-streaming"} <= set(plain["versions"])


@pytest.mark.parametrize(
    "options", [("--workers", "2"), ("--client", "aiokafka"), ("--partitions", "3", "--topic-prefix", "mine.")]
)
def test_the_digest_does_not_depend_on_how(
    kafka: Connection, tmp_path: Path, plain: dict[str, Any], options: tuple[str, ...]
) -> None:
    """Workers, client, partitions and prefix change nothing of the answer."""
    assert run(kafka, tmp_path, *options)["digest"] == plain["digest"]


def test_a_night_with_incidents_is_exact(kafka: Connection, tmp_path: Path) -> None:
    """A login outage, a peak and servers that fail: every phase in run.info, every count equal to the truth."""
    where = ["--bootstrap-servers", kafka.bootstrap_servers, "--out", str(tmp_path), "--format", "json"]
    done = joinstorm("run", "two-troubles", "--scale", "0.01", *where)
    assert done.returncode == EXIT_OK, done.stderr
    verdict = json.loads(done.stdout)
    assert (verdict["exact"], verdict["mismatches"]) == (True, 0)
    assert verdict["digest"] == verdict["truth_digest"]


def test_extra_engines_are_held_to_the_same_truth(kafka: Connection, tmp_path: Path, plain: dict[str, Any]) -> None:
    """Several engines count the same topics at once; each is on the Engines board with its error."""
    broken = tmp_path / "broken.py"
    broken.write_text(
        "from streams.engines.abstract import Engine\n\n\nclass Broken(Engine):\n    name = 'broken'\n\n"
        "    def run(self, settings):\n        raise SystemExit('out of order today')\n"
    )
    extra = ["--extra-engine", "kafka-python", "--extra-engine", f"{broken}:Broken"]
    verdict = run(kafka, tmp_path / "out", *extra, "--topic-prefix", "extra.")
    assert verdict["digest"] == plain["digest"]
    good, bad = (json.loads((tmp_path / "out" / f"verdict-{name}.json").read_text()) for name in EXTRA)
    assert good["exact"]
    assert good["digest"] == plain["digest"]
    assert not bad["exact"]
    assert any("out of order today" in problem for problem in bad["problems"])
    with ResultReader(kafka, prefix="extra.", run=verdict["run"]) as reader:
        reader.wait_until_drained(["faust", "kafka-python", TRUTH], 60)
        families = {family.name: family for family in Exporter(reader).collect()}
    found = families[ERROR_MAX.name].samples
    assert {sample.labels["engine"] for sample in found} == {"faust", "kafka-python"}
    assert not any(sample.value for sample in found)


def test_another_seed_is_another_night(kafka: Connection, tmp_path: Path, plain: dict[str, Any]) -> None:
    """Another seed is exact too, with another digest."""
    assert run(kafka, tmp_path, "--seed", "99")["digest"] != plain["digest"]


def test_an_impossible_speed_is_admitted(kafka: Connection, tmp_path: Path) -> None:
    """A run that cannot keep its pace stays exact, and its verdict remarks that it was late."""
    verdict = run(kafka, tmp_path, "--speed", "100000")
    assert verdict["on_time_ratio"] < 0.99
    assert any("not on time" in remark for remark in verdict["remarks"])


def descendants(process: psutil.Process) -> list[psutil.Process]:
    """Return every process below one, none if it is gone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.children(recursive=True)
    return []


@contextlib.contextmanager
def started(out: Path) -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """Start a run with an embedded broker; it is gone afterwards in any case."""
    command = [sys.executable, "-m", "joinstorm.cli", "run", "--scale", "0.05", "--speed", "60", "--out", str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process, psutil.Process(process.pid)
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("log", ["record.log", "replay.log"])
def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, number: signal.Signals, log: str) -> None:
    """Whenever a signal comes, every process is gone, and nothing passes for a finished run."""
    with started(tmp_path) as (process, handle):
        deadline = time.monotonic() + 90
        while not (tmp_path / "logs" / log).exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, f"no {log}"
            time.sleep(0.02)
        below = descendants(handle)
        os.kill(process.pid, number)
        _, stderr = process.communicate(timeout=30)
        assert process.returncode == EXIT_INTERRUPTED
        assert f"stopped without a verdict; tape and logs: {tmp_path}" in stderr
        _, alive = psutil.wait_procs(below, timeout=10)
        assert not alive
    assert not (tmp_path / "verdict.json").exists()
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["lunch"], EXIT_USAGE, "launch"),
        (["--scale", "0"], EXIT_USAGE, "--scale"),
        (["--speed", "fast"], EXIT_USAGE, "max"),
        (["--bootstrap-servers", "nowhere"], EXIT_USAGE, "host:port"),
        (["--tape", "there-is-none.parquet"], EXIT_USAGE, "there-is-none.parquet"),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(tmp_path: Path, options: list[str], code: int, message: str) -> None:
    """A wrong option or name ends with a clear sentence and the code of a usage error."""
    done = joinstorm("run", *options, "--out", str(tmp_path / "out"))
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_broker_nobody_answers_for(tmp_path: Path) -> None:
    """An address without a broker is named, with the exit code of a missing environment."""
    options = ["--scale", SCALE, "--out", str(tmp_path), "--bootstrap-servers", "127.0.0.1:1"]
    done = joinstorm("run", *options)
    assert done.returncode == EXIT_ENVIRONMENT, done.stderr
    assert "127.0.0.1:1" in done.stderr
