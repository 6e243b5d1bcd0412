"""A night made up for tests of the tweets: an hour of waiting, twenty minutes of melting, a talk, a thread next day."""

from functools import lru_cache

import msgspec
import polars as pl

from producers.scenario.tweetspec import TweetSpec
from producers.simulation.outline import NightOutline
from producers.tweets.source import TweetSource
from streams.contract.names import MINUTE_MS
from streams.contract.runinfo import Phase

HOUR_MS = 60 * MINUTE_MS
OPENS = 1_684_962_000_000
"""24 May 2023, 21:00 UTC."""
SCHEDULED = OPENS + HOUR_MS
LISTENERS, PEOPLE = 700, 1001

NIGHT = NightOutline(
    start=OPENS,
    end=OPENS + 27 * HOUR_MS + 12_345,
    scheduled_start=SCHEDULED,
    talk_start=SCHEDULED + 27 * MINUTE_MS,
    talk_end=SCHEDULED + 87 * MINUTE_MS,
    announced=SCHEDULED + 20 * HOUR_MS,
    phases=(Phase("open", OPENS),),
    strain=(*[0.0] * 60, *[0.75] * 20, 0.4, 0.1),
)


def source(
    spec: TweetSpec | None = None, night: NightOutline = NIGHT, *, seed: int = 1, scale: float = 0.005
) -> TweetSource:
    """Return the tweets of a night; by default some 3,500 of the one above."""
    return TweetSource(spec or TweetSpec(), night, seed=seed, scale=scale, people=PEOPLE, listeners=LISTENERS)


@lru_cache(maxsize=4)
def tweets(scale: float = 0.005, *, announcement: bool = True, seed: int = 1) -> pl.DataFrame:
    """Return all tweets of that night."""
    spec = msgspec.structs.replace(TweetSpec(), announcement=announcement)
    frame = pl.from_arrow(source(spec, seed=seed, scale=scale).chunk(NIGHT.start, NIGHT.end))
    assert isinstance(frame, pl.DataFrame)
    names = ("topic", "kind", "lang", "label_stance", "label_subject")
    return frame.with_columns(pl.col(*names).cast(pl.String))
