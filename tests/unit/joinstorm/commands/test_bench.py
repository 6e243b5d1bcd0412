"""``joinstorm bench``: what becomes of a contender that is stopped, fails, or says nothing."""

import os
import sys
from pathlib import Path

import pytest

from joinstorm.bench.measurement import Measurement
from joinstorm.commands.bench import _measured
from joinstorm.run.supervisor import ChildProcess
from streams.errors import EngineError

MEASURED = 'print(\'{"name": "x", "events": 3, "seconds": 1.0, "cpu_seconds": 0.5, "complete": false}\', flush=True)'
HANGS = "import time; time.sleep(60)"


def contender(folder: Path, program: str) -> ChildProcess:
    """Start a contender that is this program."""
    return ChildProcess("bench-x", [sys.executable, "-c", program], folder / "x.log", os.environ)


def test_a_contender_that_is_stopped_before_it_counts_has_counted_nothing(tmp_path: Path) -> None:
    """On a busy machine its start may take all of its time; the others are measured all the same."""
    assert _measured(contender(tmp_path, HANGS), "measuring x", 0.1) == Measurement("bench-x", 0, 0.1, 0.0, False)


def test_a_stopped_contender_is_rated_by_what_it_says(tmp_path: Path) -> None:
    """Also where the signal ends it after its last line."""
    part = contender(tmp_path, f"{MEASURED}; {HANGS}")
    while not part.tail():
        assert part.exit_code() is None
    assert _measured(part, "measuring x", 0.1) == Measurement("x", 3, 1.0, 0.5, complete=False)


@pytest.mark.parametrize(("program", "why"), [("raise SystemExit(3)", "exit code 3"), ("print(1)", "measured nothing")])
def test_a_contender_that_fails_is_named(program: str, why: str, tmp_path: Path) -> None:
    """With the end of its log."""
    with pytest.raises(EngineError, match=why):
        _measured(contender(tmp_path, program), "measuring x", 30)
