"""``joinstorm alerts score`` ended from outside: it says so, and neither a process nor half a file is left."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from joinstorm.alerts.workers import processors
from streams.errors import EXIT_INTERRUPTED
from tests.conftest import need_program
from tests.streaming import until

ROOT = Path(__file__).parents[2]
SECONDS = 120.0


def named(processes: list[psutil.Process], name: str) -> list[psutil.Process]:
    """Return the processes of a program; one that has just ended has none."""
    found = []
    for one in processes:
        try:
            found += [one] if one.name() == name else []
        except psutil.NoSuchProcess:
            continue
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_score_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """While several processes evaluate: exit code 130, no process is left, the cache has whole files alone."""
    need_program("prometheus", "promtool")
    rules = ROOT / "examples" / "rehearse" / "droprate.yaml"
    command = ["alerts", "score", str(rules), "--scenario", "quiet,premiere", "--seeds", "50", "--scale", "0.02"]
    environ = {**os.environ, "JOINSTORM_CACHE_DIR": str(tmp_path / "cache"), "TMPDIR": str(tmp_path)}
    script = "import sys; from joinstorm.cli import main; sys.exit(main())"
    with subprocess.Popen(
        [sys.executable, "-c", script, *command], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            started = psutil.Process(process.pid)
            until(
                lambda: len(named(started.children(recursive=True), "prometheus")) == processors(),
                "all evaluate",
                SECONDS,
            )
            below = started.children(recursive=True)
            process.send_signal(number)
            out, err = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    assert process.returncode == EXIT_INTERRUPTED
    assert (out, "Traceback" in err) == ("", False), err
    assert psutil.wait_procs(below, timeout=SECONDS)[1] == []
    assert list((tmp_path / "cache").rglob("*.tmp")) == []
    assert [path for path in tmp_path.iterdir() if path.name != "cache"] == []
