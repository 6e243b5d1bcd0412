"""docs/rehearse.md: every `alerts` command runs, and the score the page shows is the score; bad input gets one line."""

import re
import shlex
from pathlib import Path
from typing import Final

import msgspec
import pytest
from click.testing import CliRunner, Result

from joinstorm.cli import cli
from tests.conftest import need_program

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "rehearse.md").read_text(encoding="utf-8")
COMMANDS: Final = re.findall(r"^    joinstorm (alerts .*)$", PAGE, re.MULTILINE)
SHOWN: Final = dict(re.findall(r"^    joinstorm (alerts [^\n]*)\n\n```text\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL))
"""What the page shows of a command's output."""
INCIDENT: Final = "groups: [{{name: g, rules: [{{alert: Melt, expr: {0}}}]}}]\n"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache folder for all tests here."""
    need_program("prometheus", "promtool")
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def folder(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that has the examples, made the current one."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JOINSTORM_CACHE_DIR", str(cache))
    return tmp_path


def invoke(*words: str) -> Result:
    """Run a command."""
    return CliRunner().invoke(cli, ["alerts", *words], standalone_mode=False)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_page_runs(folder: Path, line: str) -> None:
    """As it stands, with the exit code 0; what the page shows of its output is in it."""
    words = shlex.split(line)
    into = words.index(">") if ">" in words else len(words)
    done = CliRunner().invoke(cli, words[:into], standalone_mode=False)
    assert (done.exit_code, done.return_value or 0) == (0, 0), done.output
    if "tune" in words:
        assert "the front:" in done.output
        assert (folder / "tune.svg").read_text().startswith("<?xml")
    elif "html" in words:
        assert done.output.count("<svg") == 3
    elif "--require" not in words:
        assert done.stdout.startswith(SHOWN[line])


def test_the_page_has_a_command_for_each_step() -> None:
    """Score, score with a requirement, HTML, a wait, other nights, tune."""
    assert len(COMMANDS) == 6
    assert len(SHOWN) == 3


def test_the_drop_rate_fires_at_the_minute_and_two_minutes_later(folder: Path) -> None:
    """On the launch at 0.02: over 5 % at 22:04:00, with ``for: 2m`` at 22:06:00; both silent on the control."""
    done = invoke("score", "examples/rehearse/droprate.yaml", "--scale", "0.02", "--format", "json")
    assert done.exit_code == 0, done.output
    now, later = msgspec.json.decode(done.stdout)
    for score, at in ((now, "22:04:00"), (later, "22:06:00")):
        (page,) = score["nights"][0]["pages"]
        seconds = page["start"] // 1000 % 86_400
        assert f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}" == at
        assert score["nights"][1]["scenario"] == "control"
        assert score["nights"][1]["pages"] == []


def test_the_shipped_rules_meet_what_they_are_for(folder: Path) -> None:
    """Over two nights of the launch and of the control every alert on the night has recall and precision 1."""
    done = invoke("score", "--scale", "0.02", "--seeds", "2", "--format", "json")
    assert done.exit_code == 0, done.output
    scored = [one for one in msgspec.json.decode(done.stdout) if not one["unserved"]]
    assert {one["alert"] for one in scored} >= {"LaunchMelting", "JoinSuccessLow", "AudienceCollapse"}
    assert [(one["alert"], one["recall"], one["precision"]) for one in scored] == [
        (one["alert"], 1.0, 1.0) for one in scored
    ]


def test_a_requirement_that_is_not_met_is_exit_code_1(folder: Path) -> None:
    """With the reason on stderr, and the table all the same."""
    done = invoke("score", "examples/rehearse/burnrate.yaml", "--scale", "0.02", "--require", "detect<10s")
    assert done.return_value == 1
    assert "DropRate: detect<10s is required, detect is" in done.stderr
    assert "DropRate" in done.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (INCIDENT.format("sum(joinstorm_drop_ratio >"), r"rules\.yaml:1: .*parse error"),
        (INCIDENT.format("joinstorm_drop_ration > 0"), r"rules\.yaml:1: Melt .*nearest is joinstorm_drop_ratio$"),
        ("groups:\n- name: g\n  rules:\n  - alert: Melt\n    expr: up\n    for: 2x\n", r"rules\.yaml:6: .*2x"),
        ("groups:\n- name: g\n  rules:\n  - alert: Melt\n    expr: up\n    fore: 2m\n", r"rules\.yaml:6: field fore"),
        ("groups: []\n", "has no alert"),
        (INCIDENT.format("'joinstorm_drop_ratio and on () vector(1) * on () group_left () joinstorm_drop_ratio'"),
         r"rules\.yaml.*line 1: Melt: .*"),
    ],
)  # fmt: skip
def test_bad_rules_get_one_line(folder: Path, text: str, words: str) -> None:
    """File and line, and what is wrong; exit code 2."""
    (folder / "rules.yaml").write_text(text)
    done = invoke("score", "rules.yaml", "--scenario", "launch", "--scale", "0.02")
    assert done.exit_code == 1
    assert re.search(words, str(done.exception)), str(done.exception)
    assert getattr(done.exception, "exit_code", None) == 2
    assert len(str(done.exception).splitlines()) == 1


def test_without_prometheus_the_way_to_get_it_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the environment: exit code 3."""
    monkeypatch.setenv("PATH", str(folder))
    done = invoke("score", "examples/rehearse/burnrate.yaml")
    assert getattr(done.exception, "exit_code", None) == 3
    assert "promtool is not installed (Debian and Ubuntu: apt-get install prometheus" in str(done.exception)
