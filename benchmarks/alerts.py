"""Whether the alerts fire in their phases, and nowhere else, over many nights that melt and many that do not.

    python -m benchmarks.alerts --seeds 20

For each night the alerts that fired and where, then what was missed and what was false; at the end precision and recall
over all of them. Exit code 1 when either is below 1. Needs prometheus and promtool.
"""

import sys
import time

import click

from joinstorm.boardproof.alertproof import Judgement, alerts_of, judge, precision, recall
from producers.recording import record
from producers.scenario.loading import load
from streams.system.scratch import scratch

MELTS = {"launch": True, "control": False}
"""Scenario to whether its rooms melt."""


@click.command()
@click.option("--seeds", default=20, help="How many of each scenario: 1, 2, 3 …")
@click.option("--scale", default=0.02, help="1 is the real size.")
def main(seeds: int, scale: float) -> int:
    """Print one line per night, and the outcome."""
    judged = [night(scenario, seed, scale) for scenario in MELTS for seed in range(1, seeds + 1)]
    click.echo(f"{len(judged)} nights: precision {precision(judged):.4f}, recall {recall(judged):.4f}")
    return 0 if precision(judged) == recall(judged) == 1 else 1


def night(scenario: str, seed: int, scale: float) -> Judgement:
    """Record one night, evaluate the rules over it and tell what came of it."""
    started = time.monotonic()
    with scratch("alerts") as folder:
        tape = record(load(scenario), folder / "tape.parquet", scale=scale, seed=seed).path
        info, fired = alerts_of(tape, folder)
    judgement = judge(fired, info, melts=MELTS[scenario])
    told = "; ".join(f"{name} in {', '.join(sorted(phases))}" for name, phases in sorted(fired.items()))
    click.echo(f"{scenario}, seed {seed}: {told or 'silent'} ({time.monotonic() - started:.0f} s)")
    for what, pairs in (("missed", judgement.missed), ("false", judgement.false)):
        for name, phase in sorted(pairs):
            click.echo(f"    {what}: {name} in {phase}")
    return judgement


if __name__ == "__main__":
    sys.exit(main(standalone_mode=False))
