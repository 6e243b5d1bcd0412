"""A replay's progress on stderr: a bar on a terminal, a line every few seconds in the log of a verbose run."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column
from rich.text import Text

from producers.replay.deck import DeckState
from streams.visible import visible, visible_line

LINE_SECONDS = 5.0
_log = logging.getLogger("joinstorm.replay")


class ReplayDisplay(Protocol):
    """Shows states of the deck as they come."""

    def __call__(self, state: DeckState) -> None:
        """Show a state."""
        ...

    def show_message(self, text: str) -> None:
        """Show a message."""
        ...


@contextmanager
def progress() -> Iterator[ReplayDisplay]:
    """Yield a display of the deck's states."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    whole = Column(no_wrap=True)
    columns = (
        TextColumn("{task.description}", markup=False, table_column=whole),
        BarColumn(None, table_column=Column(ratio=1)),
        TextColumn("{task.percentage:.0f} %", table_column=whole),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as bar:
        yield _Bar(bar)


def describe(state: DeckState) -> str:
    """Return a state as a short text, with its run."""
    return visible_line(f"{state.run} {moment(state)}")


def moment(state: DeckState) -> str:
    """Return event time, phase, speed and state as a short text."""
    at = datetime.fromtimestamp(state.at / 1000, UTC)
    speed = f"{state.speed:g}x" if state.speed else "max"
    return visible_line(f"{at:%d %b %H:%M:%S} {state.phase} {speed} {state.state}")


class _Bar:
    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._run = ""
        self._task = bar.add_task("starting", total=None)

    def __call__(self, state: DeckState) -> None:
        if state.run != self._run:
            self._run = state.run
            self.show_message(f"run {state.run}")
        self._bar.update(self._task, total=state.events, completed=state.sent, description=moment(state))

    def show_message(self, text: str) -> None:
        self._bar.console.print(Text(visible(text), style="dim"))


class _Lines:
    def __init__(self) -> None:
        self._due = 0.0

    def __call__(self, state: DeckState) -> None:
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + LINE_SECONDS
            _log.info("%s sent=%d on_time=%.4f", describe(state), state.sent, state.on_time_ratio)

    def show_message(self, text: str) -> None:
        _log.info("%s", text)
