"""When the reaction peaked and how fast it decayed, from the counts after the announcement.

The peak is the middle of the strongest quarter of an hour; its interval is the time around it in which the curve does
not differ significantly from its maximum. The half-life is the time from the peak to half of the excess after the peak
(for an exponential decay this is its half-life, from any start); its interval is that of a median by order statistics,
widened by the dispersion and the uncertainty of the baseline.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from streams.contract.names import MINUTE_MS
from streams.effect.baseline import Array, Estimate

_SMOOTH_MS: Final = 15 * MINUTE_MS


@dataclass(frozen=True)
class Curve:
    """Counts in short steps since the announcement."""

    begin: int
    """Event time (ms) of the first step."""
    step_ms: int
    seen: Array
    usual: Array
    """Expected counts without the announcement."""
    usual_error: float
    """Standard error of the sum of ``usual``."""
    dispersion: float
    """Ratio of variance to mean of the baseline."""

    @property
    def excess(self) -> Array:
        """Tweets attributed to the announcement."""
        return self.seen - self.usual


def peak_and_half_life(curve: Curve, level: float) -> tuple[Estimate, Estimate] | None:
    """Return the event time of the peak and the half-life after it (ms); None if there is no excess after the peak."""
    z = NormalDist().inv_cdf(0.5 + level / 2)
    width = min(len(curve.seen), max(1, round(_SMOOTH_MS / curve.step_ms)))
    top = int(_smooth(curve.excess, width).argmax())
    if curve.excess[top:].sum() <= 0:
        return None
    spread = max(curve.dispersion, _roughness(curve.seen, 2 * width))
    return _peak(curve, top, width, z * math.sqrt(spread)), _half_life(curve, top, z, spread)


def _peak(curve: Curve, top: int, width: int, reach: float) -> Estimate:
    excess, seen = _smooth(curve.excess, width), _smooth(curve.seen, width)
    near = excess[top] - excess <= reach * np.sqrt(seen[top] + seen)
    apart = np.flatnonzero(~near)
    low = max((int(step) + 1 for step in apart if step < top), default=0)
    high = min((int(step) - 1 for step in apart if step > top), default=len(near) - 1)
    return Estimate(*(curve.begin + (step + 0.5) * curve.step_ms for step in (top, low, high)))


def _half_life(curve: Curve, top: int, z: float, spread: float) -> Estimate:
    upto = np.concatenate([[0.0], np.cumsum(curve.excess[top:])])
    share = np.maximum.accumulate(upto) / upto[-1]
    error = math.sqrt(spread * curve.seen[top:].sum() + curve.usual_error**2) / (2 * upto[-1])
    return Estimate(*(_when(share, part) * curve.step_ms for part in (0.5, 0.5 - z * error, 0.5 + z * error)))


def _when(share: Array, part: float) -> float:
    """Return the steps until this share of the excess is reached; infinite for a share of 1 or more."""
    if part <= 0:
        return 0.0
    return math.inf if part >= 1 else float(np.interp(part, share, np.arange(len(share))))


def _smooth(values: Array, width: int) -> Array:
    return np.convolve(values, np.ones(width), "same")


def _roughness(seen: Array, size: int) -> float:
    """Return the ratio of variance to mean of blocks of steps, from second differences, which cancel smooth trends."""
    blocks = seen[: len(seen) // size * size].reshape(-1, size).sum(axis=1)
    bends = blocks[:-2] - 2 * blocks[1:-1] + blocks[2:]
    usual = (blocks[:-2] + 4 * blocks[1:-1] + blocks[2:]).sum()
    return float((bends**2).sum() / usual) if usual else 1.0
