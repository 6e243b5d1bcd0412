"""The pytest plugin: what docs/testing.md shows is run as it stands, and a wrong engine fails a test."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from joinstorm.testing.nightontopics import NightOnTopics
from streams.kafka.connection import Connection
from tests.conformance import mutants

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
PAGE = Path(__file__).parents[2] / "docs" / "testing.md"


def run_pytest(text: str, folder: Path, kafka: Connection) -> subprocess.CompletedProcess[str]:
    """Run a file of tests as a user does, in a folder of its own, on the tests' broker."""
    (folder / "test_mine.py").write_text(text, encoding="utf-8")
    # Of an installed joinstorm pytest finds the plugin by itself; a checkout may have been installed before it existed.
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "joinstorm.testing.plugin",
        "-p",
        "no:randomly",
        "test_mine.py",
    ]
    environ = {**os.environ, "JOINSTORM_BOOTSTRAP_SERVERS": kafka.bootstrap_servers}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=500, check=False)


def test_the_tests_of_the_page_pass(kafka: Connection, tmp_path: Path) -> None:
    """A stock Faust app in some twenty lines, and an engine: both tests are what a reader would type."""
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    app = blocks[0].partition("async def joins_of")[2]
    assert len([line for line in app.splitlines() if line.strip()]) <= 22
    done = run_pytest("\n\n".join(blocks), tmp_path, kafka)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_a_wrong_engine_fails_with_its_counts(kafka: Connection, tmp_path: Path) -> None:
    """The failure has the point and the counts, and no traceback of joinstorm."""
    engine = f"{mutants.__file__}:LessThanAMinute"
    text = f"def test_it(assert_exact):\n    assert_exact({engine!r}, points=['golden-doors'])\n"
    done = run_pytest(text, tmp_path, kafka)
    assert "1 failed" in done.stdout, done.stdout + done.stderr
    assert "golden-doors" in done.stdout
    assert "rejoins_60s: expected" in done.stdout
    assert "Traceback" not in done.stdout


def test_the_night_is_on_its_topics(night: NightOnTopics) -> None:
    """Its truth is that of the oracle, and every event is announced in run.info."""
    assert night.info.events == sum(total.events for total in night.expected.totals.values())
    assert set(night.totals("joins")) <= set(night.info.spaces)
    assert night.topics["tweets"].endswith(night.info.run)
