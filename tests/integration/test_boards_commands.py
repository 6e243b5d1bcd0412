"""The commands around the boards, as a user meets them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from joinstorm.cli import cli
from producers.recording import record
from producers.scenario.loading import load
from tests.integration.fakegrafana import TOKEN, FakeGrafana

LOGIN = {"JOINSTORM_GRAFANA_TOKEN": TOKEN}


@pytest.fixture
def grafana() -> Iterator[FakeGrafana]:
    """Return a running Grafana with an empty database."""
    with FakeGrafana() as running:
        yield running


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """Return a tiny night."""
    return record(load("quiet"), tmp_path / "tape.parquet", scale=0.1, seed=1).path


def test_publish_brings_all_boards_and_the_phases(grafana: FakeGrafana, tape: Path) -> None:
    """Four boards, the data source, and an annotation per phase; the second time nothing changes."""
    command = ["dashboards", "publish", "--url", grafana.url, "--tape", str(tape)]
    first = CliRunner().invoke(cli, command, env=LOGIN, standalone_mode=False)
    assert first.exception is None
    assert len(grafana.boards) == 4
    assert {one["text"] for one in grafana.annotations.values()} >= {"open", "talk"}
    second = CliRunner().invoke(cli, command, env=LOGIN, standalone_mode=False)
    assert second.return_value == 0
    *changes, board = second.stdout.splitlines()
    assert {line.split()[0] for line in changes} == {"unchanged"}
    assert board.startswith(f"board: {grafana.url}/d/joinstorm-launch?from=")


def test_publish_shows_what_it_keeps(grafana: FakeGrafana) -> None:
    """A board changed by hand gives exit code 1, its difference and the way to write over it."""
    command = ["dashboards", "publish", "--url", grafana.url]
    CliRunner().invoke(cli, command, env=LOGIN, standalone_mode=False)
    board = grafana.boards["joinstorm-launch"]["dashboard"]
    grafana.keep_board({**board, "title": "My launch"}, "joinstorm", "mine")
    kept = CliRunner().invoke(cli, command, env=LOGIN, standalone_mode=False)
    assert kept.return_value == 1
    assert "kept      board 'The launch'" in kept.stdout
    assert "My launch" in kept.stdout
    assert "--force overwrites it" in kept.stdout
    changes = CliRunner().invoke(cli, [*command, "--format", "json"], env=LOGIN, standalone_mode=False).stdout
    assert {one["kind"] for one in json.loads(changes)} == {"kept", "unchanged"}


def test_publish_without_a_login_names_the_variables(grafana: FakeGrafana) -> None:
    """Nothing is sent."""
    failed = CliRunner().invoke(cli, ["dashboards", "publish", "--url", grafana.url], standalone_mode=False)
    assert "JOINSTORM_GRAFANA_TOKEN" in str(failed.exception)
    assert grafana.boards == {}


def test_build_writes_into_another_folder(tmp_path: Path) -> None:
    """Boards and rules for those who keep them elsewhere."""
    done = CliRunner().invoke(cli, ["dashboards", "build", "--out", str(tmp_path)], standalone_mode=False)
    assert done.exception is None
    assert len(list((tmp_path / "generated").glob("*.json"))) == 4
    assert (tmp_path / "rules" / "joinstorm.yaml").exists()


def test_backfill_without_promtool_says_how_to_go_on(
    tape: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text is there, and the commands that make and serve the blocks."""
    monkeypatch.setenv("PATH", str(tmp_path))
    done = CliRunner().invoke(cli, ["backfill", str(tape), "--out", str(tmp_path / "out")], standalone_mode=False)
    assert done.exception is None
    assert (tmp_path / "out" / "night.om").read_text().endswith("# EOF\n")
    assert "promtool tsdb create-blocks-from openmetrics" in done.stdout
    assert "--storage.tsdb.retention.time=20y" in done.stdout


def test_backfill_of_a_folder_without_a_tape_says_so(tmp_path: Path) -> None:
    """The folder of a run holds one."""
    failed = CliRunner().invoke(cli, ["backfill", str(tmp_path)], standalone_mode=False)
    assert "there is no such tape" in str(failed.exception)
