"""The live display in a real terminal, tmux: every stage of a run is whole and readable at every size."""

import os
import shlex
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence

import pytest

from joinstorm.terminal.deckkeys import HINT
from streams.system.threads import poll_until
from tests.conftest import need_program
from tests.screenstages import MESSAGE, STAGES, URL

SIZES = ((80, 24), (60, 12), (200, 50))
SECONDS = 20.0
ALWAYS = ("joinstorm launch 0.02", "waiting", "drop rate", HINT)
TOLD = {
    "before": ("starting", "no event counted yet"),
    "waiting": ("24 May 22:00:00 UTC  scheduled start", "first room     11,123", "second room          0", "3,210"),
    "melting": ("24 May 22:10:00 UTC  melting", "587,123", "123,456  people", "3.12%", "playing 240x", "25.0%"),
    "paused": ("paused", "587,123"),
    "moving": ("moving", MESSAGE),
    "crowded": ("59,000", "58,000", "more rooms", "123,456"),
    "error": ("failed", "587,123"),
    "end": ("26 May 01:46:40 UTC  aftermath", "ended", "100.0%"),
}


class Tmux:
    """A terminal of a size, with a command in it."""

    def __init__(self, columns: int, rows: int, command: Sequence[str]) -> None:
        self._server = ["tmux", "-L", f"joinstorm-{uuid.uuid4().hex[:8]}", "-f", os.devnull]
        self._call("new-session", "-d", "-x", str(columns), "-y", str(rows), shlex.join(command))

    def _call(self, *arguments: str) -> str:
        return subprocess.run([*self._server, *arguments], check=True, capture_output=True, text=True).stdout

    def screen(self) -> str:
        """Return what the screen shows; a line that the terminal wrapped is one line."""
        joined = self._call("capture-pane", "-p", "-J")
        return "\n".join(line.rstrip() for line in joined.split("\n"))

    def press(self, key: str) -> None:
        """Press a key."""
        self._call("send-keys", key)

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        self._call("resize-window", "-x", str(columns), "-y", str(rows))

    def wait(self, *texts: str) -> str:
        """Return the screen as soon as it shows all of these."""
        shown = poll_until(
            lambda: screen if all(text in (screen := self.screen()) for text in texts) else None, SECONDS
        )
        assert shown is not None, f"no {texts} on\n{self.screen()}"
        return shown

    def close(self) -> None:
        """End the terminal and what runs in it."""
        self._call("kill-server")


def show(columns: int, rows: int) -> Iterator[Tmux]:
    """Yield a terminal in which the stages are shown."""
    need_program("tmux", package="tmux")
    terminal = Tmux(columns, rows, ["env", "-u", "COLUMNS", "-u", "LINES", sys.executable, "-m", "tests.screenstages"])
    yield terminal
    terminal.close()


@pytest.fixture(params=SIZES, ids=lambda size: "x".join(map(str, size)))
def terminal(request: pytest.FixtureRequest) -> Iterator[Tmux]:
    """Yield a terminal of each size."""
    yield from show(*request.param)


@pytest.fixture
def small() -> Iterator[Tmux]:
    """Yield a small terminal."""
    yield from show(60, 12)


def test_every_stage_is_whole_at_every_size(terminal: Tmux) -> None:
    """No figure is cut, nothing scrolls away, one picture stands on the screen, and the prompt comes below it."""
    for stage in STAGES:
        screen = terminal.wait(*TOLD[stage], *ALWAYS)
        assert screen.count("drop rate") == 1, screen
        assert screen.startswith("joinstorm launch"), screen
        terminal.press("x")
    screen = terminal.wait("stopped without a verdict; tape and logs: out/20230524-220000")
    lines = screen.rstrip("\n").split("\n")
    assert HINT in screen
    assert lines[-1].startswith("stopped without"), screen


def test_a_large_screen_shows_every_line(terminal: Tmux) -> None:
    """Where there is room, the address of the metrics is there, too; on twelve rows the figures come first."""
    terminal.wait(*TOLD["before"])
    terminal.press("x")
    screen = terminal.wait(*TOLD["waiting"])
    assert (URL in screen) == (len(screen.split("\n")) > 13), screen


def test_a_screen_that_changes_its_size_is_drawn_anew(small: Tmux) -> None:
    """The next picture has the new size, and no remains of the old one stand under it."""
    small.wait(*TOLD["before"])
    small.resize(100, 30)
    small.press("x")
    screen = small.wait(*TOLD["waiting"], URL)
    assert max(map(len, screen.split("\n"))) == 100
    small.resize(60, 12)
    small.press("x")
    screen = small.wait(*TOLD["melting"], *ALWAYS)
    assert screen.count("drop rate") == 1, screen
