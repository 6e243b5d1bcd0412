"""A comparison as a user makes it: every figure measured, the scoreboard in four forms."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from joinstorm.documents import documentlist
from streams.errors import EXIT_OK
from streams.kafka.connection import Connection

DOCUMENT = next(one for one in documentlist.DOCUMENTS if one.command == "compare")
pytestmark = [pytest.mark.e2e, pytest.mark.integration]


@pytest.mark.timeout(300)
def test_a_comparison_measures_everything(kafka: Connection, tmp_path: Path) -> None:
    """Exact in every repeat, after a kill and with faults too, with every figure, in the shape of the schema."""
    options = ["--scale", "0.003", "--load", "300", "--repeats", "2", "--format", "json", "--out", str(tmp_path)]
    command = [sys.executable, "-m", "joinstorm.cli", "compare", "kafka-python", *options]
    command += ["--bootstrap-servers", kafka.bootstrap_servers]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == EXIT_OK, done.stderr
    board = json.loads(done.stdout)
    assert board == json.loads((tmp_path / "compare.json").read_text())
    assert {path.name for path in tmp_path.glob("compare.*")} == {
        f"compare.{s}" for s in ("json", "txt", "png", "html")
    }
    Draft202012Validator(documentlist.schema(DOCUMENT)).validate(board)
    (score,) = board["scores"]
    assert score["exact"]
    assert score["setup"]["restart"] == "reads again"
    assert board["versions"]["kafka-python"] in score["setup"]["library"]
    assert board["machine"]["cores"]
    assert len(score["turns"]) == board["repeats"] == 2
    for turn in score["turns"]:
        assert turn["answer"]["digest"] == board["truth_digest"]
        assert turn["after_kill"]["digest"] == board["truth_digest"]
        assert turn["with_faults"]["exact"]
        assert turn["throughput"]["peak_mib"] > 10
        assert turn["recovery"]["seconds"] is None or turn["recovery"]["killed_at"] > 0
        assert 0 < turn["latency"]["p50"] <= turn["latency"]["p99"] <= turn["latency"]["most"]
        assert turn["latency"]["ended"]
        assert turn["sustained"] is None or turn["sustained"]["ended"]
    rates = [turn["throughput"]["events_per_cpu_second"] for turn in score["turns"]]
    spread = score["figures"]["events_per_cpu_second"]
    assert [spread["least"], spread["most"]] == sorted(rates)
    assert spread["least"] <= spread["median"] <= spread["most"]
