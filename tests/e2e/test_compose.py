"""The whole stack in containers: healthy, exact, seen by Prometheus as the tape says, and gone afterwards."""

import json
import os
import subprocess
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from joinstorm.prometheus.backfill import nights_of_tape
from joinstorm.terminal.recordingbar import record_scenario
from producers.tape.tapefile import Tape
from streams.contract.names import ALL, TRUTH
from streams.read.derive import ResultsAt, ResultsView
from streams.system.ports import free_ports
from tests.conftest import required

ROOT = Path(__file__).parents[2]
PYTHONS = ("python:3.12-slim", "python:3.11-slim", "python:3.13-slim")
"""Any of these makes our image; .env's own is tried first."""
ENGINE = "faust"
SERVICES = ("kafka", "record", "producer", "worker", "truth", "exporter", "prometheus")
"""All but Grafana, which shows what Prometheus has and computes nothing."""
NIGHT = {"SCENARIO": "launch", "SCALE": "0.02", "SEED": "7", "SPEED": "200", "ROUNDS": "1", "WORKERS": "2"}
MINUTE_MS = 60_000
MOMENTS = (("melting", 5 * MINUTE_MS), ("talk", 10 * MINUTE_MS), ("thread", 30 * MINUTE_MS))
"""Phases and how long after their beginning Prometheus is asked what it saw."""
RUN_SECONDS = 420.0
T = TypeVar("T")

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1500)]


def run(*command: str, env: dict[str, str] | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command in the repository and return what it said."""
    return subprocess.run(command, cwd=ROOT, env=env, check=check, capture_output=True, text=True)


def has_image(image: str) -> bool:
    """Whether an image is on this machine: nothing is pulled by a test."""
    return run("docker", "image", "inspect", image, check=False).returncode == 0


@pytest.fixture(scope="module")
def images() -> dict[str, str]:
    """Return the images to use; skips with what is missing, or fails where everything is required."""
    left_out = pytest.fail if required() else pytest.skip
    if os.environ.get("JOINSTORM_TEST_COMPOSE") != "1":
        pytest.skip("containers take minutes to build and to play: make test-compose")
    try:
        run("docker", "compose", "version")
        run("docker", "info")
    except (OSError, subprocess.CalledProcessError) as error:
        left_out(f"no Docker engine with compose: {getattr(error, 'stderr', '') or error}".strip())
    lines = (ROOT / ".env").read_text(encoding="utf-8").splitlines()
    table = dict(line.split("=", 1) for line in lines if "_IMAGE=" in line) | {
        name: value for name, value in os.environ.items() if name.endswith("_IMAGE")
    }
    python = next((image for image in (table["PYTHON_IMAGE"], *PYTHONS) if has_image(image)), None)
    missing = [table[name] for name in ("KAFKA_IMAGE", "PROMETHEUS_IMAGE") if not has_image(table[name])]
    missing += [] if python else [table["PYTHON_IMAGE"]]
    if python is None or missing:
        left_out(f"images are not here: docker pull {' '.join(missing)}")
    return {"PYTHON_IMAGE": python, "JOINSTORM_IMAGE": "joinstorm:test-compose"}


@dataclass(frozen=True)
class Stack:
    """The running containers of one project."""

    project: str
    env: dict[str, str]

    def compose(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run docker compose on this project; a failure shows what it said."""
        done = run("docker", "compose", "--project-name", self.project, *arguments, env=self.env, check=False)
        assert done.returncode == 0 or not check, f"{arguments}: {done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done

    def ids(self, service: str) -> list[str]:
        """Return the containers of a service that run."""
        return self.compose("ps", "--quiet", service).stdout.split()

    def ask(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the result of a query to Prometheus."""
        address = f"http://127.0.0.1:{self.env['PROMETHEUS_PORT']}/api/v1/{path}"
        with urllib.request.urlopen(f"{address}?{urllib.parse.urlencode(parameters)}", timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found

    def value(self, query: str, at: float | None = None) -> float | None:
        """Return the value of a query that gives one series, None where there is none."""
        found = self.ask("query", query=query, **({} if at is None else {"time": at}))
        return float(found[0]["value"][1]) if found else None

    def logs(self) -> str:
        """Return the last lines of every container."""
        return self.compose("logs", "--no-color", "--tail", "40", check=False).stdout


@pytest.fixture(scope="module")
def stack(images: dict[str, str]) -> Iterator[Stack]:
    """Build the image, bring the stack up with two workers, wait until all is healthy; afterwards nothing is left."""
    ports = zip(("KAFKA_PORT", "EXPORTER_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT"), free_ports(4), strict=True)
    env = {**os.environ, **images, **NIGHT, **{name: str(port) for name, port in ports}}
    one = Stack(f"joinstorm-test-{uuid.uuid4().hex[:8]}", env)
    try:
        one.compose("build", "record")
        one.compose("up", "--detach", "--wait", "--wait-timeout", "300", *SERVICES)
        yield one
    finally:
        one.compose("--profile", "tools", "down", "--volumes", "--timeout", "20")
    label = f"label=com.docker.compose.project={one.project}"
    for kind in ("container", "volume", "network"):
        everything = ["--all"] if kind == "container" else []
        assert not run("docker", kind, "ls", *everything, "--quiet", "--filter", label).stdout


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same tape, recorded here: same scenario, scale and seed give the same night."""
    path = tmp_path_factory.mktemp("compose") / "tape.parquet"
    record_scenario(NIGHT["SCENARIO"], path, scale=float(NIGHT["SCALE"]), seed=int(NIGHT["SEED"]))
    return path


def until(stack: Stack, state: Callable[[], T | None], what: str) -> T:
    """Wait for a state and return it; after the deadline the containers' logs are shown."""
    deadline = time.monotonic() + RUN_SECONDS
    while (found := state()) is None or found is False:
        assert time.monotonic() < deadline, f"{what}\n{stack.logs()}"
        time.sleep(1)
    return found


def test_two_workers_one_of_them_lost_are_exact_and_prometheus_saw_the_night(stack: Stack, tape: Path) -> None:
    """A worker is stopped while the first room melts: the verdict is exact, and Prometheus has what the tape says."""
    opened = Tape.open(tape)
    info = opened.info
    starts = {phase.name: phase.start for phase in info.phases}
    workers = stack.ids("worker")
    assert len(workers) == 2
    until(stack, lambda: _replay_ms(stack) >= starts["melting"] + 2 * MINUTE_MS, "the replay does not get on")
    run("docker", "stop", "--time", "20", workers[0])
    until(stack, lambda: stack.value(f'joinstorm_engine_ended{{engine="{ENGINE}"}}') == 1, "the engine does not end")
    verdict = stack.compose("run", "--rm", "verify", check=False)
    assert verdict.returncode == 0, f"{verdict.stdout}\n{verdict.stderr}"
    assert "exact" in verdict.stdout
    assert stack.value("joinstorm_run_info", None) == 1
    (run_info,) = stack.ask("query", query="joinstorm_run_info")
    assert info.sha256.startswith(run_info["metric"]["tape"])
    _, nights = nights_of_tape(opened)
    for phase, later in MOMENTS:
        _compare(stack, nights[TRUTH], starts[phase] + later)


def _replay_ms(stack: Stack) -> float:
    return 1000 * (stack.value("joinstorm_replay_event_timestamp_seconds") or 0.0)


def _compare(stack: Stack, night: ResultsView, moment: int) -> None:
    """Find the first scrape after an event time, and hold what it says against the tape, for engine and truth."""
    now = time.time()
    query = f"joinstorm_replay_event_timestamp_seconds >= {moment / 1000}"
    (series,) = stack.ask("query_range", query=query, start=now - RUN_SECONDS, end=now, step=1)
    scraped = float(series["values"][0][0])
    clocks = {ENGINE: f'joinstorm_engine_watermark_timestamp_seconds{{engine="{ENGINE}"}}',
              TRUTH: "joinstorm_replay_event_timestamp_seconds"}  # fmt: skip
    for engine, clock in clocks.items():
        at = stack.value(clock, scraped)
        assert at is not None
        expected = night.at(round(at * 1000))
        for name, value in _values(expected).items():
            seen = stack.value(name.replace("{", f'{{engine="{engine}",').replace(",}", "}"), scraped)
            assert seen == value, f"{name} of {engine} at event time {at}: {seen}, the tape says {value}"


def _values(now: ResultsAt) -> dict[str, int]:
    values = {
        "joinstorm_waiting_people{}": now.waiting(),
        "joinstorm_waited_20m_people{}": now.waited_20m(),
        f'joinstorm_distinct_listeners{{space="{ALL}"}}': now.distinct_listeners(),
        f'joinstorm_distinct_authors{{subject="{ALL}"}}': now.distinct_authors(),
    }
    for space in now.view.spaces:
        values[f'joinstorm_audience_listeners{{space="{space}"}}'] = now.audience(space)
        for kind, count in {"join": "joins", "drop": "drops", "fail": "fails", "attempt": "attempts"}.items():
            values[f'joinstorm_presence_events_total{{space="{space}",kind="{kind}"}}'] = now.presence(space, count)
    return values
