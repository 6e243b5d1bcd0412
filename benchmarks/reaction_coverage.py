"""Bias of the reaction estimate, and how often its intervals hold the truth.

For every seed the night is made twice, with and without the announcement; the difference of the counts on its subject
is the true effect. Run it from the repository's root:

    python -m benchmarks.reaction_coverage --seeds 200 --scale 0.01 --scale 0.1 --scale 0.5 --write docs/reaction.md
"""

import argparse
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from benchmarks.measuredsection import publish
from benchmarks.reactionnight import counts_of, night_and_scenario, tweets_of
from producers.scenario.spec import Scenario
from producers.simulation.outline import NightOutline
from streams.contract.names import ANNOUNCEMENT, MINUTE_MS
from streams.contract.runinfo import DEFAULT_WINDOW_MS
from streams.effect.baseline import Estimate
from streams.effect.estimate import LEVEL, ReactionEstimate, estimate_reaction
from streams.effect.shape import Curve, peak_and_half_life

_PER_MINUTE = MINUTE_MS // DEFAULT_WINDOW_MS
FIRST_SEED = 1001
"""The method was developed on lower seeds."""
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ScaleCoverage:
    """Estimates and true effects at one scale."""

    scale: float
    announced: int
    estimates: list[ReactionEstimate]
    effects: list[Counts]
    """True effect per window since the announcement, by seed."""
    without: list[int]
    """Tweets on the subject since the announcement in the twin without it, by seed."""


def measure(night: NightOutline, scenario: Scenario, announced: int, scale: float, seeds: int) -> ScaleCoverage:
    """Estimate the reaction in many nights, and count their twins without the announcement."""
    coverage = ScaleCoverage(scale, announced, [], [], [])
    first = (announced - night.start) // DEFAULT_WINDOW_MS
    twin = msgspec.structs.replace(scenario.tweets, announcement=False)
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        loud, quiet = (
            counts_of(tweets_of(spec, night, scenario, seed=seed, scale=scale), night, ANNOUNCEMENT)
            for spec in (scenario.tweets, twin)
        )
        coverage.estimates.append(
            estimate_reaction(loud, start=night.start, window_ms=DEFAULT_WINDOW_MS, announced=announced)
        )
        coverage.effects.append((loud - quiet)[first:])
        coverage.without.append(int(quiet[first:].sum()))
    return coverage


def true_shape(measured: Sequence[ScaleCoverage]) -> tuple[float, float]:
    """Return when the mean of all effects is highest and its half-life, both in minutes since the announcement."""
    mean = sum(np.sum(coverage.effects, axis=0) for coverage in measured).astype(float)
    minutes = mean[: len(mean) // _PER_MINUTE * _PER_MINUTE].reshape(-1, _PER_MINUTE).sum(axis=1)
    shape = peak_and_half_life(Curve(0, MINUTE_MS, minutes, np.zeros_like(minutes), 0.0, 1.0), LEVEL)
    if shape is None:
        raise SystemExit("the scenario's announcement has no effect on its subject")
    return shape[0].value / MINUTE_MS, shape[1].value / MINUTE_MS


def row(coverage: ScaleCoverage, peak: float, half_life: float) -> str:
    """Return one line of the table."""
    effects = [int(effect.sum()) for effect in coverage.effects]
    estimates = coverage.estimates
    excess = [estimate.excess for estimate in estimates]
    peaks = [_minutes(estimate.peak, coverage.announced) for estimate in estimates]
    halves = [_minutes(estimate.half_life_ms, 0) for estimate in estimates]
    ratios = [
        e.uplift.value / (e.observed / max(1, quiet)) for e, quiet in zip(estimates, coverage.without, strict=True)
    ]
    return (
        f"| {coverage.scale:g} | {len(estimates)} | {np.mean(coverage.without):,.0f} | {np.mean(effects):,.0f} "
        f"| {np.mean([e.value for e in excess]) - np.mean(effects):+,.1f} | {_coverage(excess, effects)} "
        f"| {np.median(ratios) - 1:+.1%} "
        f"| {np.mean([p.value for p in peaks]) - peak:+.1f} min | {_coverage(peaks, [peak] * len(peaks))} "
        f"| {np.mean([h.value for h in halves]) - half_life:+.1f} min "
        f"| {_coverage(halves, [half_life] * len(halves))} |"
    )


def _minutes(estimate: Estimate | None, zero: int) -> Estimate:
    if estimate is None:
        return Estimate(math.nan, math.nan, math.nan)
    return Estimate(*((part - zero) / MINUTE_MS for part in (estimate.value, estimate.low, estimate.high)))


def _coverage(estimates: Sequence[Estimate], truths: Sequence[float]) -> str:
    """Return the share of intervals that hold the truth, with its own standard error."""
    share = np.mean([e.low <= truth <= e.high for e, truth in zip(estimates, truths, strict=True)])
    return f"{share:.1%} ± {math.sqrt(share * (1 - share) / len(estimates)):.1%}"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; ``--write`` also updates the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", default="launch")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--scale", type=float, action="append", help="several times for several scales")
    parser.add_argument("--write", type=Path, help="document with the section 'coverage'")
    options = parser.parse_args(argv)
    night, scenario = night_and_scenario(options.scenario)
    if night.announced is None:
        raise SystemExit(f"{options.scenario}: there is no announcement in it")
    measured = []
    for scale in options.scale or [0.01]:
        begun = time.perf_counter()
        measured.append(measure(night, scenario, night.announced, scale, options.seeds))
        print(f"scale {scale:g}: {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    peak, half_life = true_shape(measured)
    head = (
        f"Truth of the peak: {peak:.1f} min after the announcement; of the half-life: {half_life:.1f} min. "
        f"Intervals of {LEVEL:.0%}.\n\n"
        "| scale | seeds | tweets without it | true excess | bias of the excess | held by its interval "
        "| median bias of the uplift | bias of the peak | held | bias of the half-life | held |\n"
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    publish("coverage", "\n".join([head, *(row(coverage, peak, half_life) for coverage in measured)]), options.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
