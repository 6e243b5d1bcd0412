"""``joinstorm whatif``: several nights of the same crowd, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from joinstorm.commands import options
from joinstorm.output import echo
from streams.errors import UsageError

if TYPE_CHECKING:
    from joinstorm.facts.whatif import NightSummary

_USUAL = ("launch", "launch-jitter", "launch-double-capacity", "control")


@click.command()
@click.argument("names", metavar="SCENARIO...", nargs=-1)
@options.scale(0.1)
@options.seed()
@options.picture("Picture to write: .png or .svg.", default=Path("whatif.png"))
@options.output_format()
def command(names: tuple[str, ...], scale: float, seed: int | None, picture: Path, form: str) -> None:
    """Compare several scenarios side by side.

    Without names: the launch, with jitter, with double capacity, and the control. All share one seed: the same people
    arrive at the same times, and only the rooms behave differently. Counts are those of the recorded size; the tapes
    are temporary.
    """
    import msgspec

    from joinstorm.facts import whatif
    from producers.scenario import loading as scenarios

    if picture.suffix not in {".png", ".svg"}:
        raise UsageError(f"--picture {picture}: expected a name that ends in .png or .svg")
    loaded = [(name, scenarios.load(name)) for name in names or _USUAL]
    seed = loaded[0][1].seed if seed is None else seed
    outcomes = [played(name, one.hosts.calm_below, scale, seed) for name, one in loaded]
    whatif.picture(outcomes, picture)
    rows = msgspec.convert(outcomes, list[whatif.NightFigures], from_attributes=True)  # without the curves
    echo(msgspec.json.encode(rows).decode() if form == "json" else whatif.table(outcomes))
    echo(f"picture: {picture}", err=True)


def played(name: str, calm_below: float, scale: float, seed: int) -> NightSummary:
    """Record one scenario and measure it."""
    from joinstorm.facts.whatif import outcome
    from joinstorm.terminal.recordingbar import record_scenario
    from streams.system.scratch import scratch

    with scratch("tape") as folder:
        return outcome(record_scenario(name, folder / "tape.parquet", scale=scale, seed=seed), calm_below)
