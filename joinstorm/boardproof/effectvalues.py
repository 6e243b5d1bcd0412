"""The estimate of the reaction to the announcement, from the oracle's counts."""

from functools import cache
from typing import Final

from joinstorm.boardproof.counted import Counted
from streams.effect.estimate import ReactionEstimate, estimate_reaction
from streams.metrics.labels import TWEET_KINDS

SUBJECT: Final = "announcement"


@cache
def effect_of(counted: Counted, at: int) -> ReactionEstimate | None:
    """Return the estimate as of event time ``at`` (ms); None before the first window after the announcement."""
    info = counted.info
    if info.announced is None or at < info.announced + info.window_ms:
        return None
    counts = counted.by_window(SUBJECT, tuple(TWEET_KINDS.values()), at)
    return estimate_reaction(counts, start=info.start, window_ms=info.window_ms, announced=info.announced)
