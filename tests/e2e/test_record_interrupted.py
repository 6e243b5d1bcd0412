"""A recording that is ended from outside."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streams.errors import EXIT_INTERRUPTED
from tests.streaming import until

SECONDS = 60.0
SLOW = """
import sys, time
from joinstorm.cli import main
from producers.tape import TapeWriter

append = TapeWriter.append

def slowly(writer, rows):
    append(writer, rows)
    time.sleep(1)

TapeWriter.append = slowly
sys.exit(main())
"""
"""The command line with a writer that needs minutes for a tape: however late the signal comes, it is still writing."""


@pytest.mark.e2e
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_recording_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """Ended by SIGTERM or Ctrl-C while it writes, a recording says so by its exit code and leaves no file behind."""
    arguments = ["record", "launch", "--scale", "0.02", "--out", str(tmp_path / "tape.parquet")]
    with subprocess.Popen([sys.executable, "-c", SLOW, *arguments]) as process:
        try:
            until(
                lambda: any(tmp_path.glob("*.part")) or process.poll() is not None, "a recording that writes", SECONDS
            )
            process.send_signal(number)
            assert process.wait(SECONDS) == EXIT_INTERRUPTED
        finally:
            process.kill()
    assert list(tmp_path.iterdir()) == []
