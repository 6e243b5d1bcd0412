"""``joinstorm whatif``: several nights of the same crowd, side by side."""

from pathlib import Path

import click
import msgspec

from joinstorm.commands.options import scale, seed
from joinstorm.facts.whatif import NightSummary, outcome, picture, table
from joinstorm.terminal.recordingbar import record_scenario
from producers.scenario import loading as scenarios
from streams.system.scratch import scratch


@click.command()
@click.argument("names", metavar="SCENARIO...", nargs=-1)
@scale(0.1)
@seed
@click.option(
    "--picture",
    "image",
    type=click.Path(path_type=Path, dir_okay=False),
    default="whatif.png",
    help="Where the picture goes: .png or .svg.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the table.")
def command(names: tuple[str, ...], scale: float, seed: int | None, image: Path, form: str) -> None:
    """Record several scenarios and show them side by side; the tapes are thrown away.

    Without names: the launch, with jitter, with double capacity, and the control. With one seed for all, the same
    people come at the same times; only what the rooms make of it differs. Counts are those of the recorded size.
    """
    if image.suffix not in {".png", ".svg"}:
        raise click.BadParameter(f"{image}: expected a name that ends in .png or .svg", param_hint="--picture")
    loaded = [(name, scenarios.load(name)) for name in names or _USUAL]
    seed = loaded[0][1].seed if seed is None else seed
    outcomes = [played(name, one.hosts.calm_below, scale, seed) for name, one in loaded]
    picture(outcomes, image)
    click.echo(msgspec.json.encode([figures(one) for one in outcomes]).decode() if form == "json" else table(outcomes))
    click.echo(f"picture: {image}", err=True)


_USUAL = ("launch", "launch-jitter", "launch-double-capacity", "control")


def played(name: str, calm_below: float, scale: float, seed: int) -> NightSummary:
    """Record one scenario and measure it."""
    with scratch("tape") as folder:
        return outcome(record_scenario(name, folder / "tape.parquet", scale=scale, seed=seed), calm_below)


def figures(one: NightSummary) -> dict[str, object]:
    """Return a night's figures by name, without its curves."""
    told: dict[str, object] = msgspec.to_builtins(one)
    return {name: value for name, value in told.items() if not name.endswith("_by_second")}
