"""Precision and recall of the alerts over many nights that melt and many that do not.

    python -m benchmarks.alerts --seeds 20

Prints the alerts that fired in each night by phase, then the missed and the false ones, and at the end precision and
recall over all nights. Exit code 1 if either is below 1. Needs prometheus and promtool.
"""

import sys
import time

import click

from joinstorm.boardproof.alertproof import Judgement, alerts_of, judge, precision, recall
from producers.recording import record
from producers.scenario.loading import load
from streams.system.scratch import scratch

MELTS = {"launch": True, "control": False}
"""Whether the rooms melt, by scenario."""


@click.command()
@click.option("--seeds", default=20, help="Nights of each scenario, seeds 1, 2, 3 …")
@click.option("--scale", default=0.02, help="1 is the real size.")
def main(seeds: int, scale: float) -> int:
    """Print one line per night, then precision and recall."""
    judged = [night(scenario, seed, scale) for scenario in MELTS for seed in range(1, seeds + 1)]
    click.echo(f"{len(judged)} nights: precision {precision(judged):.4f}, recall {recall(judged):.4f}")
    return 0 if precision(judged) == recall(judged) == 1 else 1


def night(scenario: str, seed: int, scale: float) -> Judgement:
    """Record one night, evaluate the rules over it, and print and return the judgement."""
    started = time.monotonic()
    with scratch("alerts") as folder:
        tape = record(load(scenario), folder / "tape.parquet", scale=scale, seed=seed).path
        info, fired = alerts_of(tape, folder)
    judgement = judge(fired, info, melts=MELTS[scenario])
    summary = "; ".join(f"{name} in {', '.join(sorted(phases))}" for name, phases in sorted(fired.items()))
    click.echo(f"{scenario}, seed {seed}: {summary or 'silent'} ({time.monotonic() - started:.0f} s)")
    for what, pairs in (("missed", judgement.missed), ("false", judgement.false)):
        for name, phase in sorted(pairs):
            click.echo(f"    {what}: {name} in {phase}")
    return judgement


if __name__ == "__main__":
    sys.exit(main(standalone_mode=False))
