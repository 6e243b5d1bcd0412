"""Random numbers that are the same on every machine, and the same per listener in every scenario.

Every draw is a ``PCG64.random()`` from a stream of its own name, so no part moves the numbers of another: two scenarios
with the same seed have the same crowd, whatever happens in their rooms. Distributions are tables of integers made with
``math``, because numpy's vector logarithm may differ in its last bit from one processor to the next.
"""

import hashlib
import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

LEVELS = 1 << 16
"""Resolution of a probability: a level is a uniform 16-bit number."""

Levels: TypeAlias = npt.NDArray[np.uint16]
Millis: TypeAlias = npt.NDArray[np.int32]


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the random stream of a name; streams of one seed are independent of each other."""
    digest = hashlib.sha256(name.encode()).digest()
    key = tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def levels(seed: int, name: str, count: int) -> Levels:
    """Return ``count`` uniform levels from the stream of a name, one per listener."""
    return (stream(seed, name).random(count) * LEVELS).astype(np.uint16)


def chance(share: float) -> int:
    """Return the level below which an event of this probability happens."""
    return round(share * LEVELS)


def table(quantile: Callable[[float], float]) -> Millis:
    """Return a quantile function (argument strictly between 0 and 1, result in ms) as a table by level."""
    return np.array([round(quantile((level + 0.5) / LEVELS)) for level in range(LEVELS)], dtype=np.int32)


def exponential(mean_ms: float) -> Millis:
    """Return the table of an exponential distribution, cut off at about twelve times its mean."""
    return table(lambda p: -mean_ms * math.log1p(-p))
