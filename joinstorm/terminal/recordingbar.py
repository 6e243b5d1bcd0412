"""Recording with a progress bar on stderr where that is a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from producers.recording import Recording, record
from producers.scenario import loading as scenario
from producers.tape.tapefile import Tape
from streams.system.scratch import scratch

_STEPS = {"rooms": "simulating the rooms", "tape": "writing tweets and tape"}


def record_scenario(name: str, path: Path, *, scale: float, seed: int | None) -> Recording:
    """Record a scenario, shipped or from a file; an interruption leaves no file.

    Raises:
        ScenarioError: It is unknown, malformed or cannot be simulated.
        TapeError: The tape cannot be written.
    """
    loaded = scenario.load(name)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=not sys.stderr.isatty()) as bars:
        tasks = {step: bars.add_task(f"{loaded.name}: {text}", total=1.0) for step, text in _STEPS.items()}
        return record(
            loaded,
            path,
            scale=scale,
            seed=seed,
            progress=lambda step, share: bars.update(tasks[step], completed=share),
        )


@contextmanager
def tape_of(name: str, *, scale: float, seed: int | None) -> Iterator[Tape]:
    """Open a tape by its path, or record a scenario onto a temporary one.

    A file that is not YAML is a tape.
    """
    path = Path(name)
    if path.is_file() and path.suffix not in {".yaml", ".yml"}:
        yield Tape.open(path)
        return
    with scratch("tape") as folder:
        yield Tape.open(record_scenario(name, folder / "tape.parquet", scale=scale, seed=seed).path)
