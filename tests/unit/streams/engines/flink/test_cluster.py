"""Where a job runs and what it brings along; Flink itself is not needed here."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from streams.engines.abstract import WorkerSettings
from streams.engines.flink.cluster import placed
from streams.golden import load as golden
from streams.kafka.connection import Connection

CONNECTOR = "flink-sql-connector-kafka-1.jar"
RUNTIME = "flink-python-2.2.1.jar"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the folder of an engine's environment, with what PyFlink brings."""
    for jar in (f"jars/{CONNECTOR}", f"pyflink/opt/{RUNTIME}"):
        path = tmp_path / jar
        path.parent.mkdir(parents=True)
        path.touch()
    pyflink = ModuleType("pyflink")
    pyflink.__file__ = str(tmp_path / "pyflink" / "__init__.py")
    monkeypatch.setitem(sys.modules, "pyflink", pyflink)
    monkeypatch.setenv("JOINSTORM_ENGINE_FOLDER", str(tmp_path))
    return tmp_path


def of_job(folder: Path, **options: str) -> dict[str, str]:
    """Return the Flink settings of a job."""
    return placed(WorkerSettings(Connection("127.0.0.1:1"), golden("doors").info, "flink", options=options), folder)


def jars(folder: Path, **options: str) -> list[str]:
    """Return the names of the jars that a job brings."""
    return [uri.rpartition("/")[2] for uri in of_job(folder, **options)["pipeline.jars"].split(";")]


def test_a_cluster_gets_what_runs_python_functions(installed: Path) -> None:
    """Its class path lacks the runtime of PyFlink, which the worker's own Flink has."""
    assert jars(installed) == [CONNECTOR]
    assert jars(installed, cluster="127.0.0.1:8081") == [CONNECTOR, RUNTIME]


def test_on_a_cluster_the_functions_have_processes_of_their_own(installed: Path) -> None:
    """A task manager could load Python's library into its own process for one job only."""
    assert "python.execution-mode" not in of_job(installed)
    assert of_job(installed, cluster="127.0.0.1:8081")["python.execution-mode"] == "process"
