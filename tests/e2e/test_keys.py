"""The keys of a run in a terminal: the deck obeys, a jump back goes on in a new run, the terminal is left as it was."""

import fcntl
import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams.errors import EXIT_INTERRUPTED, EXIT_OK
from streams.kafka.connection import Connection

pytestmark = [pytest.mark.e2e, pytest.mark.integration]
SECONDS = 90.0


class Terminal:
    """A run in a terminal of its own."""

    def __init__(self, arguments: list[str]) -> None:
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.screen = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "joinstorm.cli", *arguments],
            stdin=self.slave,
            stdout=subprocess.PIPE,
            stderr=self.slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one system call
        )

    def press(self, keys: str, until: str) -> None:
        """Press keys and wait until the screen shows what follows from them."""
        os.write(self.master, keys.encode())
        self.wait(until)

    def wait(self, text: str) -> None:
        """Wait until the screen shows something new that matches."""
        self.screen = ""
        deadline = time.monotonic() + SECONDS
        while not re.search(text, self.screen):
            assert time.monotonic() < deadline, f"no {text!r} on {self.screen[-1000:]!r}"
            assert self.read(0.2) or self.process.poll() is None, self.screen

    def read(self, seconds: float) -> bool:
        """Read what the screen shows; False when there was nothing."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        self.screen += os.read(self.master, 1 << 16).decode(errors="replace")
        return True

    def ended(self) -> tuple[int, str]:
        """Wait for the end; returns the exit code and what was printed."""
        deadline = time.monotonic() + SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.screen
            self.read(0.2)
        assert self.process.stdout is not None
        return self.process.returncode, self.process.stdout.read().decode()

    def close(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.communicate()
        os.close(self.master)
        os.close(self.slave)


@contextmanager
def playing(kafka: Connection, out: Path, *options: str) -> Iterator[Terminal]:
    """Start a run of a small night in a terminal and wait until it plays."""
    where = ["--bootstrap-servers", kafka.bootstrap_servers, "--topic-prefix", "keys.", "--out", str(out)]
    terminal = Terminal(["run", "quiet", "--scale", "0.02", "--format", "json", "--no-report", *where, *options])
    try:
        terminal.wait("space pause")
        terminal.wait("playing")
        yield terminal
    finally:
        terminal.close()


def test_the_deck_obeys_and_a_jump_back_is_exact(kafka: Connection, tmp_path: Path) -> None:
    """Pause, resume, speed, a jump on, and one back from a pause: a new run, paused, whose verdict is exact."""
    with playing(kafka, tmp_path, "--speed", "20", "--fault", "missing=0.1") as terminal:
        terminal.press(" ", "paused")
        terminal.press(" ", "playing")
        terminal.press("+", "speed 30x")
        terminal.press("3", "to talk")
        terminal.press(" ", "paused")
        terminal.press("1", "moving")
        terminal.wait("paused")
        terminal.press(" ", "playing")
        terminal.press("+" * 12, "ended")
        code, out = terminal.ended()
        assert code == EXIT_OK, terminal.screen
        verdict = json.loads(out)
        assert verdict["exact"]
        assert verdict["run"].endswith("-2")
        assert verdict["faults"]["accounted"]["missing"] > 0
        assert termios.tcgetattr(terminal.slave) == terminal.before


@pytest.mark.parametrize("key", ["q", "\x03"])
def test_a_run_ended_by_a_key_leaves_the_terminal_as_it_was(kafka: Connection, tmp_path: Path, key: str) -> None:
    """Q and Ctrl-C: the exit code of an interrupt, where the folder is, no verdict, and the old settings."""
    with playing(kafka, tmp_path, "--speed", "1") as terminal:
        stopped = f"stopped without a verdict; tape and logs: {re.escape(str(tmp_path))}"
        terminal.press(key, rf"stopping every part of the run\s+{stopped}")
        assert terminal.ended() == (EXIT_INTERRUPTED, "")
        assert termios.tcgetattr(terminal.slave) == terminal.before
    assert not (tmp_path / "verdict.json").exists()
