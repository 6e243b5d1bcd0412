"""Engines of one file in Go, Java and Python: in run, compare and chaos, and as their READMEs say."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from joinstorm.embedded.kafkahome import find_java
from producers.recording import record
from producers.scenario.loading import load
from streams.kafka.connection import Connection
from tests.conftest import required

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
EXAMPLES = Path(__file__).parents[2] / "examples"
BUILDS = {"go": ("go", "build", "-o", "engine", "."), "kafka-streams": ("mvn", "-q", "package", "-DskipTests")}
"""How each example is built; the one in Python needs nothing."""
SCALE = "0.002"


def _environ() -> dict[str, str]:
    """Return an environment in which ``joinstorm`` and ``python`` are those of the tests."""
    return {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}


def _environ_with_java() -> dict[str, str]:
    """Return such an environment in which ``java`` is the one of the tests, too: of a builder's it is no business."""
    environ = _environ()
    return {**environ, "PATH": os.pathsep.join([str(find_java(os.environ).parent), environ["PATH"]])}


def built(name: str) -> Path:
    """Return the folder of an example, built; skip the test where its tools are missing and need not be there."""
    folder = EXAMPLES / name
    command = BUILDS.get(name)
    if command is None:
        return folder
    if shutil.which(command[0]) is None and not required():
        pytest.skip(f"{command[0]} is not installed")
    if not ((folder / "target" / "joinstorm-kafka-streams.jar").exists() or (folder / "engine").exists()):
        subprocess.run(command, cwd=folder, check=True, timeout=600)
    return folder


def played(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command line of joinstorm to its end."""
    return subprocess.run(
        ["joinstorm", *words],
        executable=Path(sys.executable).parent / "joinstorm",
        cwd=folder,
        env=_environ_with_java(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.parametrize("name", ["go", "python"])
def test_an_engine_file_next_to_another_engine_and_through_faults(name: str, kafka: Connection, tmp_path: Path) -> None:
    """An engine.toml is as good as a name: exact in a run with another engine, and through faults."""
    file = str(built(name) / "engine.toml")
    tape = str(record(load("launch"), tmp_path / "tape.parquet", scale=float(SCALE)).path)
    out = ["--tape", tape, "--out", "run", "--no-report", "--bootstrap-servers", kafka.bootstrap_servers]
    done = played("run", *out, "--engine", file, "--extra-engine", "kafka-python", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    faults = ["--faults", "0.3:kill-worker,0.6:freeze-worker:2"]
    done = played("chaos", tape, "--runs", "1", *faults, "--engine", file, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def commands(readme: Path) -> list[str]:
    """Return every command that a README shows: its indented lines, continuations joined, comments and ``&&`` cut."""
    text = readme.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.partition("  #")[0] for line in re.findall(r"^    (\S.*)$", text, re.MULTILINE)]
    return [command.strip() for line in lines for command in line.split("&&")]


def shortened(words: list[str], kafka: Connection, run: str, out: Path) -> list[str]:
    """Return a documented command for a test: on the tests' broker, one point of the certificate, a smaller night."""
    words = [SCALE if word == "0.01" else word for word in words]
    servers = ["--bootstrap-servers", kafka.bootstrap_servers]
    if words[1] == "conform":
        return [*words, "--point", "golden-doors", *servers]
    if words[1] == "stream":
        return [run if word == "RUN" else word for word in [*words, *servers]]
    if words[1] == "run":
        return [*words, "--out", str(out), *servers]
    if words[1] == "bench":
        return [*words, "--events", "10000", "--slice", "1000", "--repeats", "1"]
    return words if words[1] == "chaos" else [*words, *servers]


@pytest.mark.parametrize(("name", "count"), [("go", 6), ("kafka-streams", 7), ("python", 3)])
def test_every_command_of_an_example_works(
    name: str, count: int, kafka: Connection, tmp_path: Path, unique_run: str
) -> None:
    """Each line of its README, typed in its folder, does what it promises."""
    folder = built(name)
    tape = record(load("launch"), tmp_path / "tape.parquet", scale=float(SCALE))
    shown = commands(folder / "README.md")
    assert len(shown) == count
    for number, line in enumerate(shown):
        words = shlex.split(line)
        if words[0] != "joinstorm":
            subprocess.run(words, cwd=folder, check=True, timeout=600, env=_environ())
            continue
        run = f"{unique_run}-{number}"
        if words[1] == "stream":
            where = ["--run", run, "--bootstrap-servers", kafka.bootstrap_servers]
            sent = played("replay", str(tape.path), "--speed", "max", *where, folder=tmp_path)
            assert sent.returncode == 0, sent.stderr
        done = played(*shortened(words, kafka, run, tmp_path / "run")[1:], folder=folder)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
