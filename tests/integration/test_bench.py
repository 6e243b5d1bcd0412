"""The measurement of engines measures: everybody counts what is there."""

import json

import pytest
from click.testing import CliRunner

from joinstorm.cli import cli

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_every_contender_is_measured_on_the_same_events() -> None:
    """Yardstick and engine count every event, the stock agent its slice; each has rates."""
    options = ["--events", "20000", "--slice", "2000", "--format", "json"]
    result = CliRunner().invoke(cli, ["bench", "engines", *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    rows = {row["name"]: row for row in json.loads(result.stdout.splitlines()[-1])}
    assert rows["yardstick"]["events"] == rows["faust"]["events"] >= 20_000
    assert rows["stock-faust"]["events"] == 2_000
    assert all(row["per_second"] > 0 and row["per_cpu_second"] > 0 for row in rows.values())
