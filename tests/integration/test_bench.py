"""The measurement of engines measures: everybody counts what is there."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from joinstorm.cli import cli

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def measured(printed: str) -> dict[str, dict[str, Any]]:
    """Return the rows of the result by contender."""
    return {row["name"]: row for row in json.loads(printed.splitlines()[-1])["measured"]}


def test_every_contender_is_measured_on_the_same_events() -> None:
    """Yardstick and engine count every event, the stock agent its slice; each has rates."""
    options = ["--events", "20000", "--slice", "2000", "--repeats", "2", "--format", "json"]
    result = CliRunner().invoke(cli, ["bench", "engines", *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    rows = measured(result.stdout)
    assert rows["yardstick"]["events"] == rows["faust"]["events"] >= 20_000
    assert rows["stock-faust"]["events"] == 2_000
    assert all(row["per_second"] > 0 and row["per_cpu_second"] > 0 for row in rows.values())
    for row in rows.values():
        low, high = row["per_cpu_second_interval"]
        assert len(row["runs"]) == 2
        assert low <= row["per_cpu_second"] <= high
        assert row["setup"]


def test_an_engine_whose_time_is_up_has_the_rate_of_what_it_counted() -> None:
    """A slow engine is stopped, and says so; the others are measured all the same."""
    options = ["--events", "20000", "--slice", "2000", "--engine", "faust-tables", "--seconds", "8", "--repeats", "1"]
    result = CliRunner().invoke(cli, ["bench", "engines", *options, "--format", "json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    slow = measured(result.stdout)["faust-tables"]
    assert slow["complete"] == (slow["events"] >= measured(result.stdout)["yardstick"]["events"])


def test_every_producer_stands_beside_its_bare_client(tmp_path: Path) -> None:
    """Both clients and both bare libraries are measured, and drawn."""
    options = ["--events", "20000", "--repeats", "1", "--picture", str(tmp_path / "producers.svg")]
    result = CliRunner().invoke(cli, ["bench", "producers", *options, "--format", "json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert set(measured(result.stdout)) == {"raw-send_batch", "aiokafka", "raw-kafka-python", "kafka-python"}
    assert all(row["per_second"] > 0 for row in measured(result.stdout).values())
    assert "</svg>" in (tmp_path / "producers.svg").read_text()
