"""A part of a run imports nothing from the working folder, whatever the user's files there are called."""

import subprocess
from pathlib import Path

import pytest

from joinstorm.run.supervisor import joinstorm
from streams.engines.abstract import WorkerSettings
from streams.engines.environments import run_there
from streams.engines.registry import load
from streams.errors import EngineError
from streams.kafka.connection import Connection
from streams.system.children import python_module
from tests.nights import run_info

PLANTED = ("json", "kafka", "msgspec", "click", "logging", "joinstorm", "venv", "pip")
SECONDS = 120


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with files named like modules; return what the first of them writes when it is imported."""
    trace = tmp_path / "trace"
    for name in PLANTED:
        (tmp_path / f"{name}.py").write_text(f"open({str(trace)!r}, 'a').write('{name} ')\nraise SystemExit(99)\n")
    monkeypatch.chdir(tmp_path)
    return trace


@pytest.mark.parametrize(
    "command",
    [
        joinstorm("stream", "--help"),
        python_module("joinstorm.bench.contender", "--help"),
        python_module("venv", "--help"),
        python_module("pip", "--version"),
    ],
    ids=lambda command: command[3],
)
def test_a_part_imports_no_file_of_the_working_folder(planted: Path, command: list[str]) -> None:
    """Every command line that starts Python keeps that folder off the path."""
    done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    assert done.returncode != 99
    assert not planted.exists()


def test_a_worker_in_its_own_environment_imports_none_either(planted: Path, tmp_path: Path) -> None:
    """The worker gets as far as the flow, a module of the package, which here has nothing to run."""
    settings = WorkerSettings(Connection("127.0.0.1:1"), run_info(), "quix")
    (tmp_path / "environment").mkdir()
    python = Path(joinstorm()[0])
    with pytest.raises(EngineError, match="exit code 1"):
        run_there(python, tmp_path / "environment", "streams.engines.kafkapython", settings)
    assert not planted.exists()


def test_an_engine_in_a_file_of_the_working_folder_is_loaded(planted: Path, tmp_path: Path) -> None:
    """A user's engine is given by its file, which may stand beside the others and be called like a module."""
    (tmp_path / "json.py").write_text(
        "from streams.engines.kafkapython.engine import KafkaPythonEngine\n\n\n"
        "class Mine(KafkaPythonEngine):\n    name = 'mine'\n"
    )
    assert load("json.py:Mine").name == "mine"
    code = "from streams.engines.registry import load; print(load('json.py:Mine').name)"
    done = subprocess.run([joinstorm()[0], "-P", "-c", code], capture_output=True, timeout=SECONDS, check=False)
    assert done.stdout.split() == [b"mine"]
    assert not planted.exists()
