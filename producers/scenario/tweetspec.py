"""The scenario's section ``tweets``: how much is written, about what, and how it spreads.

Rates are originals (posts that answer nothing) per minute at scale 1; ``cascade`` derives replies, quotes and reposts
from them. With the defaults a whole night has some 690,000 tweets at scale 1.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

Rate = Annotated[float, Meta(ge=0.0, le=1e6)]
"""Tweets per minute at scale 1."""
Minutes = Annotated[float, Meta(gt=0.0, le=1440.0)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Count = Annotated[int, Meta(ge=0, le=10_000_000)]


class CascadeSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many answers a tweet draws, and how soon.

    Delays follow a Lomax distribution: a density that only falls, with a long tail. Reach differs widely from tweet to
    tweet: its numbers are the means times a popularity of mean 1 (Pareto).
    """

    reposts: Annotated[float, Meta(ge=0.0, le=5.0)] = 0.8
    """Mean reposts of an original. A quote draws half as many answers of each kind, a reply a quarter."""
    replies: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.3
    """Mean direct replies to an original; replies draw replies in turn."""
    quotes: Annotated[float, Meta(ge=0.0, le=0.5)] = 0.08
    """Mean quotes of an original."""
    median_minutes: Minutes = 9.0
    """Median delay: half of the answers to a tweet come sooner."""
    tail: Annotated[float, Meta(ge=0.5, le=10.0)] = 1.4
    """Shape of the delays: the smaller, the later answers still come."""
    popularity_tail: Annotated[float, Meta(ge=1.2, le=10.0)] = 1.8
    """Shape of the popularity: the smaller, the more answers go to few tweets."""
    echo: Share = 0.45
    """Share of replies and quotes with the stance of the tweet they answer; the others draw one by the theme's mix."""


class ThreadSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The thread of the next day and the reaction to it; ``schedule.thread`` sets its time, its posts are our own."""

    gap_seconds: Annotated[float, Meta(ge=1.0, le=3600.0)] = 40.0
    """Between one post of the thread and the next."""
    replies: Count = 9_000
    """Direct replies to the thread at scale 1 in an endless night."""
    quotes: Count = 3_500
    """Quotes of the thread at scale 1, likewise."""
    reposts: Count = 16_000
    """Reposts of the thread at scale 1, likewise."""
    median_minutes: Minutes = 75.0
    """Median delay of the direct answers to the thread."""
    about_per_minute: Rate = 110.0
    """Peak rate of posts about the thread that do not answer it."""
    about_rise_minutes: Minutes = 12.0
    """Minutes from the announcement to that peak."""
    about_half_life_minutes: Minutes = 80.0
    """Minutes in which the rate halves after the peak."""


class TweetSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the tweets depend on apart from the night's outline, seed and scale."""

    announcement: bool = True
    """False gives the twin: the same night, tweet for tweet, without the announcement and its effect."""
    background_per_minute: Rate = 40.0
    """Tweets about other subjects, the mean over a day; fewer in the small hours."""
    farewells_per_minute: Rate = 2.0
    """Tweets about departing colleagues, thread or no thread: the baseline of the announcement's subject."""
    anticipation_per_minute: Rate = 420.0
    """Tweets about the launch at its scheduled start."""
    anticipation_doubling_minutes: Minutes = 25.0
    """Minutes in which that rate doubles before the scheduled start."""
    wave_per_minute: Rate = 2_400.0
    """Tweets about the failure under lasting full strain; the rate follows the strain."""
    wave_lag_minutes: Minutes = 4.0
    """Time constant with which the wave follows a rising strain."""
    wave_half_life_minutes: Minutes = 35.0
    """Half-life of the wave when the strain falls."""
    talk_per_minute: Rate = 500.0
    """Tweets during the talk."""
    aftermath_per_minute: Rate = 160.0
    """Tweets about the launch at the end of the talk."""
    aftermath_half_life_minutes: Minutes = 150.0
    """Half-life of that rate."""
    listener_share: Share = 0.55
    """Share of tweets by listeners; all of them if every author is a listener."""
    cascade: CascadeSpec = CascadeSpec()
    thread: ThreadSpec = ThreadSpec()
