"""`joinstorm drill` from the first look to the debrief: a person and a program, on the same drill."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from joinstorm.cli import cli
from tests.conftest import need_program

DRILL = ["drill", "--seed", "7", "--scale", "0.02"]
ANSWER = {"page": True, "what": "login_outage", "where": "door", "since": "18:45"}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache folder for all tests here."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, an empty one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JOINSTORM_CACHE_DIR", str(cache))
    return tmp_path


def test_a_person_gets_score_alerts_and_debrief(folder: Path) -> None:
    """Seed 7 is the login outage of the docs; the debrief has what the alerts said of it."""
    need_program("prometheus", "promtool")
    typed = ["later 1m", "answer", "yes", "login_outage", "door", "18:45"]
    done = CliRunner().invoke(cli, DRILL, input="\n".join(typed) + "\n", standalone_mode=False)
    assert (done.exit_code, done.return_value) == (0, 0), done.output
    assert "99 of 100 points" in done.stdout
    assert "alerts: JoinSuccessLow: 18:4" in done.stdout
    page = (folder / "drill-7.html").read_text()
    assert "What the alerts said" in page
    assert page.count("<svg") >= 2


def test_a_program_gets_the_same_drill_as_json(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line of stdout is JSON; without Prometheus the debrief says what is missing; too few points exit with 1."""
    monkeypatch.setenv("PATH", "")
    lines = [json.dumps({"later": "1m"}), json.dumps({"answer": ANSWER})]
    words = [*DRILL, "--format", "json", "--pass", "100", "--debrief", "d.html"]
    done = CliRunner().invoke(cli, words, input="\n".join(lines) + "\n", standalone_mode=False)
    made = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["type"] for one in made] == ["boards", "boards", "score"]
    assert (made[-1]["points"], made[-1]["night"], done.return_value) == (99, "login-outage", 1)
    assert "apt-get install prometheus" in (folder / "d.html").read_text()


def test_leaving_is_named_with_the_seed(folder: Path) -> None:
    """Without an answer the exit code is 1, no debrief is written, and the seed is there to try again."""
    done = CliRunner().invoke(cli, DRILL, input="quit\n", standalone_mode=False)
    assert done.return_value == 1
    assert "--seed 7" in done.stderr
    assert not list(folder.glob("*.html"))
