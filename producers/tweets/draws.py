"""Random numbers for the tweets, the same on any machine (see ``producers.simulation.randomness``), drawn by name.

The draws of one kind of tweet never depend on another kind. Uniform numbers reach an output only through comparisons,
products rounded down and look-ups in tables of integers; whatever needs a logarithm or a power is a table.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from producers.simulation.randomness import LEVELS, stream
from streams.contract.names import MINUTE_MS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MILLI = 1000
_NORMAL_FROM = 400.0
"""From this mean on, a Poisson number is drawn as a rounded normal one."""


class Draws:
    """Uniform numbers by name.

    Args:
        seed: The tape's seed.
        names: The purpose of the numbers; each draw adds further names.
    """

    def __init__(self, seed: int, *names: str) -> None:
        self._seed = seed
        self._names = names

    def at(self, *names: str) -> "Draws":
        """Return the draws for a part of this purpose."""
        return Draws(self._seed, *self._names, *names)

    def uniform(self, name: str, size: int) -> Floats:
        """Return ``size`` numbers in [0, 1); the same seed and name give the same numbers."""
        return stream(self._seed, "/".join((*self._names, name))).random(size)

    def below(self, name: str, limits: Ints | int, size: int) -> Ints:
        """Return ``size`` integers from 0 to below ``limits`` (less than 2**53)."""
        return np.floor(self.uniform(name, size) * limits).astype(np.int64)

    def poisson(self, name: str, mean: float) -> int:
        """Return one Poisson number."""
        u = float(self.uniform(name, 1)[0])
        if mean >= _NORMAL_FROM:
            return max(0, round(mean + math.sqrt(mean) * NormalDist().inv_cdf(min(max(u, 1e-12), 1 - 1e-12))))
        count, term = 0, math.exp(-mean)
        below = term
        while u >= below and term > 0.0:
            count += 1
            term *= mean / count
            below += term
        return count


def quantiles(inverse: Callable[[float], float]) -> Ints:
    """Return a table of a distribution's rounded quantiles at the middles of ``LEVELS`` equal steps."""
    return np.array([round(inverse((step + 0.5) / LEVELS)) for step in range(LEVELS)], dtype=np.int64)


@lru_cache(maxsize=32)
def delays_ms(median_minutes: float, tail: float) -> Ints:
    """Return quantiles of Lomax delays in milliseconds, at least one second."""
    unit = median_minutes * MINUTE_MS / (2 ** (1 / tail) - 1)
    return np.maximum(quantiles(lambda u: unit * ((1 - u) ** (-1 / tail) - 1)), 1000)


@lru_cache(maxsize=32)
def popularity_milli(tail: float) -> Ints:
    """Return quantiles of a Pareto popularity of mean 1, in thousandths."""
    least = (tail - 1) / tail
    return quantiles(lambda u: MILLI * least * (1 - u) ** (-1 / tail))


def mixed(values: npt.NDArray[np.uint64], salt: int) -> npt.NDArray[np.uint64]:
    """Return 64 well-mixed bits per value (the finaliser of splitmix64); another salt gives independent ones."""
    x = values + np.uint64(salt * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
