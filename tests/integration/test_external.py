"""The engine ``external``: the program belongs to its worker, whatever ends the worker."""

import os
import shlex
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from producers.replay.opening import open_run
from streams.kafka.connection import Connection
from tests.streaming import until
from tests.tinytape import tiny_tape

pytestmark = pytest.mark.integration

SITS = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(600)"


def test_the_program_ends_with_a_worker_that_is_killed(kafka: Connection, tmp_path: Path) -> None:
    """A worker that gets SIGKILL cannot end its program any more: the kernel does."""
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux tells a child of its parent's death")
    info = open_run(kafka, tiny_tape(tmp_path / "night.parquet").info, run=f"external-{uuid.uuid4().hex[:8]}")
    told = tmp_path / "pid"
    option = "command=" + shlex.join([sys.executable, "-c", SITS, str(told)])
    where = ["--bootstrap-servers", kafka.bootstrap_servers, "--run", info.run]
    command = [sys.executable, "-m", "joinstorm.cli", "stream", "--engine", "external", "--option", option, *where]
    with subprocess.Popen(command, cwd=tmp_path) as worker:
        try:
            until(lambda: told.exists() and told.read_text().isdigit(), "the program has started")
        finally:
            worker.kill()
    until(lambda: not _lives(int(told.read_text())), "the program is gone")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    return state != "Z"
