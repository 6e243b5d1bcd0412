"""Declared faults through a real broker: the night is exact all the same, and every fault is accounted for."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from joinstorm.cli import main
from producers.compose.faults import KINDS
from producers.replay.faultfile import read_faults
from streams.errors import EXIT_OK, EXIT_USAGE
from streams.kafka.connection import Connection

pytestmark = [pytest.mark.e2e, pytest.mark.integration]
ALL_FIVE = ("duplicate=0.1", "out-of-order=0.1:5m", "late=0.05:3m", "corrupt=0.05", "missing=0.02")
FAULTS = [word for fault in ALL_FIVE for word in ("--fault", fault)]


def test_all_five_at_once_are_exact_and_accounted_for(
    kafka: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five kinds of faults in one run: exact, injected = found, the missing named; `verify` comes to the same."""
    where = ["--bootstrap-servers", kafka.bootstrap_servers, "--topic-prefix", "faulty."]
    options = ["--scale", "0.1", "--out", str(tmp_path), "--format", "json"]
    assert main(["run", "quiet", *options, *where, *FAULTS]) == EXIT_OK
    verdict = json.loads(capsys.readouterr().out)
    file = read_faults(tmp_path / "faults.parquet")
    injected = verdict["faults"]["injected"]
    assert verdict["exact"]
    assert injected == verdict["faults"]["accounted"] == file.info.counts
    assert all(injected[kind] > 0 for kind in KINDS)
    assert verdict["missing_events"] == file.event_ids("missing")[:50]
    assert verdict["events"] == pq.read_metadata(tmp_path / "tape.parquet").num_rows - injected["missing"]
    assert "faults accounted: corrupt" in (tmp_path / "report.html").read_text()
    verify = ["verify", "--run", verdict["run"], "--tape", str(tmp_path / "tape.parquet"), *where]
    assert main(verify) == EXIT_OK
    said = capsys.readouterr().out
    assert "faults accounted for: duplicate" in said
    assert "never sent, so missing from the truth as well: events" in said
    assert main(["verify", "--run", verdict["run"], "--format", "json", *where]) == EXIT_OK
    assert json.loads(capsys.readouterr().out)["faults"] == verdict["faults"]


def test_a_rate_that_is_none_is_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rate above 1 is named with what is allowed; nothing was made."""
    out = tmp_path / "out"
    assert main(["run", "quiet", "--out", str(out), "--fault", "late=1.5"]) == EXIT_USAGE
    assert "fault late=1.5: expected a rate from 0 to 1" in capsys.readouterr().err
    assert not out.exists()
