"""The progress of a replay on stderr: a bar that fits the terminal."""

import io
import sys

import pytest
from rich.text import Text

from joinstorm.terminal.progressbar import describe, progress
from producers.replay.deck import DeckState

STATE = DeckState("launch-20261129-052337-b7f7fb", "playing", 1_684_965_600_000, "scheduled_start", 240.0, 500, 1_000)


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_the_bar_fits_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time, phase, speed, state and share are whole on one line; the run has its own line above, once."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    with progress() as display:
        display(STATE)
        display(STATE)
        display.show_message("to talk")
    lines = [Text.from_ansi(line) for line in screen.getvalue().replace("\r", "\n").split("\n")]
    (bar, *_) = [line for line in lines if "50 %" in line.plain]
    assert bar.plain.lstrip().startswith("24 May 22:00:00 scheduled_start 240x playing ━")
    assert max(line.cell_len for line in lines) <= columns
    assert sum(f"run {STATE.run}" in line.plain for line in lines) == 1


def test_elsewhere_there_is_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log gets lines, not a picture."""
    monkeypatch.setattr(sys, "stderr", screen := io.StringIO())
    with progress() as display:
        display(STATE)
    assert screen.getvalue() == ""


def test_a_state_is_described_with_its_run() -> None:
    """As `joinstorm control` prints it."""
    assert describe(STATE) == f"{STATE.run} 24 May 22:00:00 scheduled_start 240x playing"
