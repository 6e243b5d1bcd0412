"""Commands that make a tape, ended from outside while they do."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from producers.importing.eventfile import settings, write_events
from streams.errors import EXIT_INTERRUPTED
from tests.streaming import until
from tests.tinytape import tiny_tape

SECONDS = 60.0
SLOW = """
import sys, time
from joinstorm.cli import main
from producers.tape.tapefile import TapeWriter

append = TapeWriter.append

def slowly(writer, rows):
    append(writer, rows)
    time.sleep(60)

TapeWriter.append = slowly
sys.exit(main())
"""
"""The command line with a writer that needs minutes for a tape: however late the signal comes, it is still writing."""


def assert_nothing_is_left(folder: Path, number: signal.Signals, *command: str) -> None:
    """Send a signal while a command writes to ``folder``, and hold that it says so and leaves no file behind."""
    folder.mkdir()
    arguments = [*command, "--out", str(folder / "tape.parquet")]
    with subprocess.Popen([sys.executable, "-c", SLOW, *arguments]) as process:
        try:
            until(lambda: any(folder.glob("*.part")), "a tape that is written", SECONDS)
            process.send_signal(number)
            assert process.wait(SECONDS) == EXIT_INTERRUPTED
        finally:
            process.kill()
    assert list(folder.iterdir()) == []


@pytest.mark.e2e
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_recording_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """Ended by SIGTERM or Ctrl-C while it writes, ``joinstorm record`` says so and leaves nothing."""
    assert_nothing_is_left(tmp_path / "out", number, "record", "launch", "--scale", "0.02")


@pytest.mark.e2e
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_import_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """So does ``joinstorm import``."""
    tape = tiny_tape(tmp_path / "tiny.parquet")
    events, night = tmp_path / "events.csv", tmp_path / "night.yaml"
    write_events(tape, events, "csv")
    night.write_text(settings(tape.info), encoding="utf-8")
    assert_nothing_is_left(tmp_path / "out", number, "import", str(events), "--settings", str(night))
