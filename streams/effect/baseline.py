"""The baseline: tweets on the announcement's subject had there been no announcement, predicted from the counts before.

Quasi-Poisson regression on the hour of the day. Tweets come in cascades, so the dispersion is estimated over blocks of
two and a half hours, which hold most of a cascade. The prediction interval is that of Farrington et al. (1996,
J. R. Statist. Soc. A 159, 547-563): on the 2/3 power of the count, which keeps the skew of small counts; with Student's
quantiles, because the dispersion is estimated from few blocks.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from streams.contract.names import MINUTE_MS

STEP_MS: Final = 10 * MINUTE_MS
"""Counts are fitted in steps of about this length."""
LEAST_STEPS: Final = 12
"""Fewest steps for a baseline."""
_BLOCK_STEPS: Final = 15
"""Steps per block in the estimate of the dispersion."""
_LEAST_BLOCKS: Final = 6
_RHYTHM_FROM_MS: Final = 18 * 60 * MINUTE_MS
"""A shorter baseline cannot separate the daily rhythm from a trend, so only its level is fitted."""
_DAY_MS: Final = 24 * 60 * MINUTE_MS
_CONVERGED: Final = 1e-9

Array = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Estimate:
    """A value with the ends of its interval, which may be infinite."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Baseline:
    """A fitted regression: the logarithm of the count per step is ``design @ weights``."""

    weights: Array
    covariance: Array
    dispersion: float
    """Ratio of variance to mean of the block counts, at least 1."""
    degrees: int
    """Degrees of freedom of ``dispersion``."""
    rhythm: bool

    def expected(self, middles: Array, width_ms: float) -> Array:
        """Return the expected counts of intervals of ``width_ms`` centred on these event times (ms)."""
        return np.exp(_design(middles, rhythm=self.rhythm) @ self.weights) * (width_ms / STEP_MS)

    def predict(self, middles: Array, width_ms: float, level: float) -> Estimate:
        """Return the predicted total of these intervals, with its prediction interval."""
        each = self.expected(middles, width_ms)
        slope = each @ _design(middles, rhythm=self.rhythm)
        total = float(each.sum())
        variance = self.dispersion * (total + float(slope @ self.covariance @ slope))
        reach = 2 / 3 * student(0.5 + level / 2, self.degrees) * math.sqrt(variance) / total
        low, high = total * max(0.0, 1 - reach) ** 1.5, total * (1 + reach) ** 1.5
        return Estimate(total, math.floor(low), math.ceil(high))


def fit(before: Array, end: int, window_ms: int) -> Baseline:
    """Fit level, rhythm and dispersion to counts per window that end at event time ``end`` (ms)."""
    per_step = max(1, round(STEP_MS / window_ms))
    steps = len(before) // per_step
    counts = before[len(before) - steps * per_step :].reshape(steps, per_step).sum(axis=1)
    counts = counts + 0.5 / steps  # half a tweet in total: an empty baseline does not prove a rate of zero
    step_ms = per_step * window_ms
    middles = end - (np.arange(steps, 0, -1) - 0.5) * step_ms
    rhythm = steps * step_ms >= _RHYTHM_FROM_MS
    design = _design(middles, rhythm=rhythm)
    weights, covariance = _regress(design, counts)
    dispersion, degrees = _dispersion(counts, np.exp(design @ weights), design.shape[1])
    weights[0] += math.log(STEP_MS / step_ms)
    return Baseline(weights, covariance, dispersion, degrees, rhythm)


def student(probability: float, degrees: int) -> float:
    """Return a quantile of Student's t by the Cornish-Fisher expansion (within 2 % from 4 degrees of freedom)."""
    z = NormalDist().inv_cdf(probability)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / degrees + second / degrees**2 + third / degrees**3


def _design(middles: Array, *, rhythm: bool) -> Array:
    angle = 2 * np.pi * (middles % _DAY_MS) / _DAY_MS
    return np.stack([np.ones_like(angle), *([np.cos(angle), np.sin(angle)] if rhythm else [])], axis=1)


def _regress(design: Array, counts: Array) -> tuple[Array, Array]:
    """Fit a Poisson regression by Newton's method; a unit prior keeps the rhythm of a nearly empty baseline small."""
    prior = np.diag([0.0] + [1.0] * (design.shape[1] - 1))
    weights = np.zeros(design.shape[1])
    weights[0] = math.log(counts.mean())
    for _ in range(50):
        expected = np.exp(design @ weights)
        information = design.T @ (expected[:, None] * design) + prior
        step = np.linalg.solve(information, design.T @ (counts - expected) - prior @ weights)
        largest = float(np.abs(step).max())
        weights = weights + step / max(1.0, largest)
        if largest < _CONVERGED:
            break
    return weights, np.linalg.inv(information)


def _dispersion(counts: Array, expected: Array, parameters: int) -> tuple[float, int]:
    """Return Pearson's statistic over blocks per degree of freedom, at least 1 (Poisson), and the degrees."""
    size = max(1, min(_BLOCK_STEPS, len(counts) // _LEAST_BLOCKS))
    blocks = len(counts) // size
    seen, fitted = (part[: blocks * size].reshape(blocks, size).sum(axis=1) for part in (counts, expected))
    degrees = max(1, blocks - parameters)
    return max(1.0, float(((seen - fitted) ** 2 / fitted).sum() / degrees)), degrees
