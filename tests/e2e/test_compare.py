"""A comparison as a user makes it: every figure measured, the scoreboard in four forms."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from joinstorm.documents import documentlist
from streams.errors import EXIT_INTERRUPTED, EXIT_OK
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


@pytest.mark.timeout(300)
def test_an_interrupted_comparison_shows_what_it_has_measured(kafka: Connection, tmp_path: Path) -> None:
    """The figures until then, and nothing that was not asked is called exact or failed."""
    options = ["--scale", "0.003", "--only", "latency", "--format", "json", "--out", str(tmp_path)]
    command = [sys.executable, "-m", "joinstorm.cli", "compare", "kafka-python", "faust", *options]
    command += ["--bootstrap-servers", kafka.bootstrap_servers]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            said = next((line for line in process.stderr if line.startswith("kafka-python: throughput:")), "")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=120)
        finally:
            process.kill()
    assert said
    assert process.returncode == EXIT_INTERRUPTED, err
    board = json.loads(out)
    assert board == json.loads((tmp_path / "compare.json").read_text())
    Draft202012Validator(documentlist.schema(DOCUMENT)).validate(board)
    assert (board["interrupted"], board["exact"]) == (True, False)
    scores = {score["engine"]: score for score in board["scores"]}
    assert scores["kafka-python"]["turns"][0]["throughput"]["events_per_cpu_second"] > 0
    assert [score["answers"]["answers"] for score in scores.values()] == ["", ""]
    assert [score["problems"] for score in scores.values()] == [[], []]
    assert "interrupted" in (tmp_path / "compare.txt").read_text()
