"""A comparison as a user makes it: every figure measured, the scoreboard in four forms."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from streams.errors import EXIT_OK
from streams.kafka.connection import Connection

pytestmark = [pytest.mark.e2e, pytest.mark.integration]


@pytest.mark.timeout(300)
def test_a_comparison_measures_everything(kafka: Connection, tmp_path: Path) -> None:
    """Exact, with rates, memory, latency and recovery; the load an engine keeps up with is one it was given."""
    options = ["--scale", "0.003", "--load", "300", "--format", "json", "--out", str(tmp_path)]
    command = [sys.executable, "-m", "joinstorm.cli", "compare", "kafka-python", *options]
    command += ["--bootstrap-servers", kafka.bootstrap_servers]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == EXIT_OK, done.stderr
    board = json.loads(done.stdout)
    assert board == json.loads((tmp_path / "compare.json").read_text())
    assert {path.name for path in tmp_path.glob("compare.*")} == {
        f"compare.{s}" for s in ("json", "txt", "png", "html")
    }
    (score,) = board["scores"]
    assert score["exact"]
    assert score["digest"] == board["truth_digest"]
    assert score["throughput"]["events_per_cpu_second"] > 0
    assert score["throughput"]["peak_mib"] > 10
    assert score["recovery"]["seconds"] is None or score["recovery"]["killed_at"] > 0
    assert 0 < score["latency"]["p50"] <= score["latency"]["p99"] <= score["latency"]["most"]
    assert score["latency"]["ended"]
    assert score["sustained"] is None or score["sustained"]["ended"]
    assert board["versions"]["kafka-python"] in score["version"]
    assert board["machine"]["cores"]
