"""A replay's progress on stderr: a bar on a terminal, a line every few seconds in the log of a verbose run."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from producers.deck import DeckState

LINE_SECONDS = 5.0
_log = logging.getLogger("joinstorm.replay")


@contextmanager
def progress() -> Iterator[Callable[[DeckState], None]]:
    """Yield what is to be called with every state of the deck."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def show(state: DeckState) -> None:
            bar.update(task, total=state.events, completed=state.sent, description=describe(state))

        yield show


def describe(state: DeckState) -> str:
    """Return a state in a few words."""
    at = datetime.fromtimestamp(state.at / 1000, UTC)
    speed = f"{state.speed:g}x" if state.speed else "max"
    return f"{state.run} {at:%d %b %H:%M:%S} {state.phase} {speed} {state.state}"


def _lines() -> Callable[[DeckState], None]:
    due = 0.0

    def show(state: DeckState) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + LINE_SECONDS
            _log.info("%s sent=%d on_time=%.4f", describe(state), state.sent, state.on_time_ratio)

    return show
