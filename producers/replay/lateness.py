"""How late events left, as a histogram."""

import numpy as np
import numpy.typing as npt

ON_TIME_SECONDS = 0.1
_FINEST = 1e-4
_BINS_PER_DOUBLING = 8
_BINS = 200
"""From a tenth of a millisecond up to 55 minutes, each bin 9 % wider than the one before."""


class Lateness:
    """A histogram of lateness in seconds, fine enough for percentiles to within nine per cent."""

    def __init__(self) -> None:
        self.counts = np.zeros(_BINS, dtype=np.int64)
        self.on_time = 0
        self.greatest = 0.0

    def add(self, late: npt.NDArray[np.float64]) -> None:
        """Count events by lateness in seconds; an early event counts as not late."""
        if not len(late):
            return
        places = np.log2(np.maximum(late, _FINEST) / _FINEST) * _BINS_PER_DOUBLING
        self.counts += np.bincount(np.minimum(np.ceil(places), _BINS - 1).astype(np.int64), minlength=_BINS)
        self.on_time += int(np.count_nonzero(late <= ON_TIME_SECONDS))
        self.greatest = max(self.greatest, float(late.max()))

    @property
    def total(self) -> int:
        """Number of events counted."""
        return int(self.counts.sum())

    @property
    def on_time_ratio(self) -> float:
        """The share of events at most 100 ms late, 1 if none were counted."""
        total = self.total
        return self.on_time / total if total else 1.0

    def percentile(self, share: float) -> float:
        """Return the lateness in seconds that this share did not exceed, 0 if none were counted."""
        total = self.total
        if not total:
            return 0.0
        place = int(np.searchsorted(np.cumsum(self.counts), share * total))
        upper: float = _FINEST * 2.0 ** (place / _BINS_PER_DOUBLING)
        return min(upper, self.greatest)
