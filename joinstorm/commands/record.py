"""``joinstorm record``: simulate a night and write its tape."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from joinstorm.commands import options
from joinstorm.output import echo

if TYPE_CHECKING:
    from producers.recording import Recording


@click.command()
@click.argument("scenario", default="launch")
@options.scale(1.0)
@options.seed()
@options.out_file("Tape to write.", shown="SCENARIO-SCALE-SEED.parquet")
@options.output_format()
def command(scenario: str, scale: float, seed: int | None, out: Path | None, form: str) -> None:
    """Simulate a night and write its tape.

    SCENARIO is the name of a shipped scenario or the path of a YAML file. The same scenario, scale and seed give the
    same content, and so the same SHA-256, on any machine.
    """
    import msgspec

    from joinstorm.terminal.recordingbar import record_scenario

    started = time.monotonic()
    recording = record_scenario(scenario, out or Path(default_name(scenario, scale, seed)), scale=scale, seed=seed)
    report = summary(recording, time.monotonic() - started)
    echo(msgspec.json.encode(report).decode() if form == "json" else text(report))


def default_name(scenario: str, scale: float, seed: int | None) -> str:
    """Return the file name of a tape that was given none."""
    parts = [Path(scenario).stem, f"{scale:g}", *([] if seed is None else [str(seed)])]
    return f"{'-'.join(parts)}.parquet"


def summary(recording: Recording, seconds: float) -> dict[str, str | int | float]:
    """Return the figures of a recording by name."""
    info = recording.info
    return {
        "tape": str(recording.path),
        "scenario": info.name,
        "scale": info.scale,
        "seed": info.seed,
        "events": info.events,
        "listeners": recording.listeners,
        "tweets": recording.tweets,
        "seconds": round(seconds, 2),
        "sha256": info.sha256,
    }


def text(report: dict[str, str | int | float]) -> str:
    """Return a summary as text, one line per value."""
    width = max(map(len, report))
    return "\n".join(f"{name:<{width}}  {value:,}" if isinstance(value, int) and name != "seed" else
                     f"{name:<{width}}  {value}" for name, value in report.items())  # fmt: skip
