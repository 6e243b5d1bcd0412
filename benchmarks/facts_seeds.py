"""Compare the launch of many seeds with the table of facts, at its full size.

    python benchmarks/facts_seeds.py --seeds 20

Prints for each seed the rows that do not hold, then how many seeds hold every row. Exit code 1 if more than one in
twenty misses a row.
"""

import sys
import time

import click

from joinstorm.facts.facttable import facts_of
from producers.recording import record
from producers.scenario.loading import load
from producers.scenario.spec import Measure
from producers.tape.tapefile import Tape
from streams.system.scratch import scratch

_SHOWN: tuple[Measure, ...] = (
    *("waited_20m", "first_room_peak", "talk_late_minutes", "second_room_speaking", "second_room_distinct"),
)
ALLOWED = 0.05
"""Share of seeds that may miss a row."""


@click.command()
@click.option("--seeds", default=20, help="Number of seeds: 1, 2, 3 …")
@click.option("--scale", default=1.0, help="1 is the real size.")
@click.option("--scenario", default="launch", help="Name or path of the scenario.")
def main(seeds: int, scale: float, scenario: str) -> int:
    """Print one line per seed, then how many hold every row."""
    missed = sum(bool(misses(scenario, scale, seed)) for seed in range(1, seeds + 1))
    click.echo(f"{seeds - missed} of {seeds} seeds hold every row")
    return 1 if missed > ALLOWED * seeds else 0


def misses(scenario: str, scale: float, seed: int) -> list[str]:
    """Record one night and return the rows that do not hold."""
    started = time.monotonic()
    with scratch("tape") as folder:
        path = record(load(scenario), folder / "tape.parquet", scale=scale, seed=seed).path
        rows = facts_of(Tape.open(path))
    wrong = [f"row {row.fact.row} {row.fact.measure}: {row.value}" for row in rows if row.holds is False]
    figures = {row.fact.measure: row.value for row in rows if row.fact.measure}
    shown = ", ".join(f"{name} {figures[name]:,.4g}" for name in _SHOWN if figures.get(name) is not None)
    click.echo(f"seed {seed}: {'; '.join(wrong) or 'holds'} ({shown}; {time.monotonic() - started:.0f} s)")
    return wrong


if __name__ == "__main__":
    sys.exit(main(standalone_mode=False))
