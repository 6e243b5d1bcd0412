"""When a client retries by itself: the policy is a parameter of the night, because the retries are the load."""

import numpy as np
import numpy.typing as npt

from producers.scenario.spec import RetrySpec
from producers.simulation.randomness import Millis


class RetryPolicy:
    """Turns the number of failed attempts in a row into a delay.

    The delay after a drop is ``after_drop``; after the n-th failed attempt in a row it is ``base`` (``fixed``) or
    ``min(cap, base · 2^(n-1))`` (``exponential``, ``full-jitter``). ``full-jitter`` draws uniformly between zero
    and twice that, so its mean is the same; with the others, clients that failed together retry together.
    """

    def __init__(self, spec: RetrySpec) -> None:
        self.retries = spec.policy != "none"
        """Whether clients retry by themselves."""
        self._jitter = spec.policy == "full-jitter"
        base, cap = spec.base_seconds, max(spec.cap_seconds, spec.base_seconds)
        grown = [base if spec.policy == "fixed" else min(cap, base * 2.0**step) for step in range(32)]
        self._delays = np.array([round(seconds * 1000) for seconds in [spec.after_drop_seconds, *grown]], np.int64)

    def delays(self, fails: npt.NDArray[np.int32], uniform: npt.NDArray[np.float64]) -> Millis:
        """Return delays in ms, at least one.

        Args:
            fails: Failed attempts in a row, 0 after a drop.
            uniform: A uniform number each; only ``full-jitter`` uses them.
        """
        whole = self._delays[np.minimum(fails, len(self._delays) - 1)]
        delays = (2.0 * whole * uniform).astype(np.int64) if self._jitter else whole
        return np.maximum(delays, 1).astype(np.int32)
