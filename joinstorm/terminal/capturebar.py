"""The progress of a capture, and of reading one, on stderr where that is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


@contextmanager
def capture_progress() -> Iterator[Callable[[int, int | None, int], None]]:
    """Yield a function that shows offsets read, offsets there are (None if not known), and records captured."""
    with _bar("capturing") as (bar, task):

        def show(read: int, wanted: int | None, records: int) -> None:
            bar.update(task, completed=read, total=wanted, description=f"{records:,} records")

        yield show


@contextmanager
def reading_progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that shows how much is done, and of how much."""
    with _bar(what) as (bar, task):

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield show


@contextmanager
def _bar(what: str) -> Iterator[tuple[Progress, TaskID]]:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=not sys.stderr.isatty()) as bar:
        yield bar, bar.add_task(what, total=None)
