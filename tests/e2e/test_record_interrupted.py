"""A recording that is ended from outside."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streams.errors import EXIT_INTERRUPTED

SECONDS = 60.0


def until_it_writes(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until the recording has begun to write its tape."""
    deadline = time.monotonic() + SECONDS
    while not any(folder.iterdir()):
        assert process.poll() is None, "it ended before it was interrupted"
        assert time.monotonic() < deadline, "it did not begin to write"
        time.sleep(0.02)


@pytest.mark.e2e
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_recording_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """Ended by SIGTERM or Ctrl-C while it writes, a recording says so by its exit code and leaves no file behind."""
    arguments = ["record", "launch", "--scale", "0.15", "--out", str(tmp_path / "tape.parquet")]
    with subprocess.Popen([sys.executable, "-m", "joinstorm.cli", *arguments]) as process:
        until_it_writes(tmp_path, process)
        process.send_signal(number)
        assert process.wait(SECONDS) == EXIT_INTERRUPTED
    assert list(tmp_path.iterdir()) == []
