"""Estimates how strong the reaction to the announcement was and how long it lasted, with intervals.

Input are counts of tweets on the announcement's subject. Those before it give the baseline
(``streams.effect.baseline``); those after it, minus the baseline, give the effect and its course
(``streams.effect.shape``). docs/reaction.md has the method, its bias and the measured coverage of the intervals.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from streams.contract.names import MINUTE_MS
from streams.effect.baseline import LEAST_STEPS, STEP_MS, Array, Baseline, Estimate, fit, student
from streams.effect.shape import Curve, peak_and_half_life

LEVEL = 0.95
"""Nominal share of nights in which an interval holds the true value."""


@dataclass(frozen=True)
class ReactionEstimate:
    """The reaction so far."""

    level: float
    """Confidence level of the intervals."""
    observed: int
    """Tweets on the subject since the announcement."""
    without: Estimate
    """Expected tweets without the announcement: the baseline."""
    excess: Estimate
    """Observed minus ``without``."""
    uplift: Estimate
    """Observed as a multiple of ``without``; infinite if nothing was expected."""
    peak: Estimate | None
    """Event time (ms) of the middle of the strongest quarter of an hour; None while there is no clear excess."""
    half_life_ms: Estimate | None
    """Time from the peak to half of the excess observed after it; None while there is no clear excess."""
    dispersion: float
    """Ratio of variance to mean of the baseline's counts in blocks of two and a half hours; 1 for a Poisson process."""


def estimate_reaction(
    counts: npt.ArrayLike, *, start: int, window_ms: int, announced: int, level: float = LEVEL
) -> ReactionEstimate:
    """Estimate the effect of the announcement on its subject.

    Args:
        counts: Tweets on the subject per window, from ``start`` to the latest known window, without gaps.
        start: Event time (ms) of the first window.
        window_ms: Length of a window, at most ten minutes.
        announced: Event time (ms) of the announcement; the window that holds it counts as after it.
        level: Share of nights in which an interval should hold the true value.

    Raises:
        ValueError: The window or level is out of range, or the counts span less than two hours before the announcement
            or nothing after it.
    """
    if not (0 < window_ms <= STEP_MS and 0 < level < 1):
        raise ValueError(f"window_ms {window_ms}: expected 1 to {STEP_MS}; level {level}: expected between 0 and 1")
    values = np.asarray(counts, dtype=np.float64)
    first = (announced - start) // window_ms
    if first * window_ms < LEAST_STEPS * STEP_MS or first >= len(values):
        raise ValueError("expected counts of at least two hours before the announcement and of one window after it")
    begin, after = start + first * window_ms, values[first:]
    baseline = fit(values[:first], begin, window_ms)
    middles = begin + (np.arange(len(after)) + 0.5) * window_ms
    without = baseline.predict(middles, window_ms, level)
    observed = int(after.sum())
    course = None
    if observed > without.high:
        course = peak_and_half_life(_curve(after, begin, window_ms, baseline, without, level), level)
    return ReactionEstimate(
        level=level,
        observed=observed,
        without=without,
        excess=Estimate(observed - without.value, observed - without.high, observed - without.low),
        uplift=Estimate(*(_ratio(observed, part) for part in (without.value, without.high, without.low))),
        peak=course[0] if course else None,
        half_life_ms=course[1] if course else None,
        dispersion=baseline.dispersion,
    )


def _curve(after: Array, begin: int, window_ms: int, baseline: Baseline, without: Estimate, level: float) -> Curve:
    """Group windows into steps of about a minute, without a last, incomplete step."""
    per_step = min(len(after), max(1, round(MINUTE_MS / window_ms)))
    steps = len(after) // per_step
    step_ms = per_step * window_ms
    middles = begin + (np.arange(steps) + 0.5) * step_ms
    return Curve(
        begin=begin,
        step_ms=step_ms,
        seen=after[: steps * per_step].reshape(steps, per_step).sum(axis=1),
        usual=baseline.expected(middles, step_ms),
        usual_error=(without.high - without.low) / (2 * student(0.5 + level / 2, baseline.degrees)),
        dispersion=baseline.dispersion,
    )


def _ratio(observed: int, without: float) -> float:
    return observed / without if without else math.inf
