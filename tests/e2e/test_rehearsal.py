"""A rehearsal from the night to the account: every page once, in real time while it matters, nothing left behind."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from joinstorm.cli import cli, main
from joinstorm.pages.notifications import read_lines
from streams.errors import EXIT_ENVIRONMENT, EXIT_USAGE
from streams.kafka.connection import Connection
from tests.conftest import need_program

RULES = """groups:
  - name: drops
    rules:
      - {alert: DropsNow, expr: max(joinstorm_drop_ratio) > 0.05, annotations: {runbook_url: book}}
      - {alert: DropsLong, expr: max(joinstorm_drop_ratio) > 0.02, for: 3s, labels: {severity: page}}
      - {alert: Never, expr: max(joinstorm_drop_ratio) > 2, labels: {joinstorm_expect: none}}
"""
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """Return a file of rules."""
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


def test_every_page_arrives_though_alertmanager_is_killed(kafka: Connection, rules: Path, tmp_path: Path) -> None:
    """The incident is played slowly, its pages arrive once and are scored; the account has the outage."""
    need_program("prometheus", "promtool")
    need_program("prometheus-alertmanager", package="prometheus-alertmanager")
    words = ["rehearse", "server-loss", "--rules", str(rules), "--scale", "0.01", "--speed", "600"]
    words += ["--incident-speed", "15", "--kill-alertmanager", "capacity_lost+2m", "--down", "3s"]
    words += ["--until", "after_capacity_lost+3m", "--bootstrap-servers", kafka.bootstrap_servers]
    words += ["--out", str(tmp_path / "out"), "--format", "json"]
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "out" / "pages.json").read_text())
    assert json.loads(done.stdout) == found
    assert found["problems"] == []
    assert found["expected"] == found["arrived"] >= 1
    assert {page["alert"] for page in found["pages"]} <= {"DropsNow", "DropsLong"}
    assert len(found["outages"]) == 1
    assert [one["alert"] for one in found["alerts"]] == ["DropsNow", "DropsLong", "Never"]
    assert found["exact"]
    assert len(list(read_lines(tmp_path / "out" / "notifications.jsonl"))) == found["notifications"]


def test_a_missing_alertmanager_is_named_before_anything_starts(
    rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says how to get it, exit code 3, and no folder is made."""
    need_program("prometheus", "promtool")
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("prometheus", "promtool"):
        (folder / name).symlink_to(f"/usr/bin/{name}")
    monkeypatch.setenv("PATH", str(folder))
    assert main(["rehearse", "quiet", "--rules", str(rules), "--out", str(tmp_path / "out")]) == EXIT_ENVIRONMENT
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "apt-get install prometheus-alertmanager" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--speed", "max"], ["--webhook", "pager"], ["--receiver", "here"], ["--down", "soon"],
        ["--alertmanager", "http://am:9093", "--kill-alertmanager", "talk"],
        ["--alertmanager", "http://am:9093", "--webhook", "http://pager/"],
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_met_is_refused(
    words: list[str], rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything starts, with the option's name."""
    need_program("prometheus", "promtool")
    need_program("prometheus-alertmanager", package="prometheus-alertmanager")
    assert main(["rehearse", "quiet", "--rules", str(rules), *words]) == EXIT_USAGE
    assert words[0] in capsys.readouterr().err
