"""The scenario's section ``tweets``: how much is written about the night, by whom, and how it spreads.

Rates are originals (posts that answer nothing) per minute at scale 1; replies, quotes and reposts follow from them by
``cascade``. With the defaults the whole night has some 690,000 tweets at scale 1.
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
    """How a tweet draws others: their mean numbers, and how quickly they come.

    Delays have a density that only falls and a long tail (Lomax); the median says when half of what comes has come.
    How far one tweet goes differs widely: its numbers are the means times a popularity of mean 1 (Pareto).
    """

    reposts: Annotated[float, Meta(ge=0.0, le=5.0)] = 0.8
    """Mean reposts of an original. A quote has half as many of everything, a reply a quarter."""
    replies: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.3
    """Mean direct replies to an original; replies have replies."""
    quotes: Annotated[float, Meta(ge=0.0, le=0.5)] = 0.08
    """Mean quotes of an original."""
    median_minutes: Minutes = 9.0
    """Half of the answers to a tweet have come after so many minutes."""
    tail: Annotated[float, Meta(ge=0.5, le=10.0)] = 1.4
    """Shape of the delays: the smaller, the longer a tweet is remembered."""
    popularity_tail: Annotated[float, Meta(ge=1.2, le=10.0)] = 1.8
    """Shape of the popularity: the smaller, the more goes to few tweets."""
    echo: Share = 0.45
    """Share of replies and quotes that take the stance of what they answer; the others take one of their time."""


class ThreadSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The thread of the next day and the reaction to it; its hour is the scenario's, its posts stand in our words."""

    gap_seconds: Annotated[float, Meta(ge=1.0, le=3600.0)] = 40.0
    """Between one post of the thread and the next."""
    replies: Count = 9_000
    """Direct replies to the thread at scale 1, were the night endless."""
    quotes: Count = 3_500
    """Quotes of the thread at scale 1, likewise."""
    reposts: Count = 16_000
    """Reposts of the thread at scale 1, likewise."""
    median_minutes: Minutes = 75.0
    """Half of the direct answers to the thread have come after so many minutes."""
    about_per_minute: Rate = 110.0
    """Posts about it that do not answer it, at their highest rate."""
    about_rise_minutes: Minutes = 12.0
    """After so many minutes that rate is reached."""
    about_half_life_minutes: Minutes = 80.0
    """After each so many further minutes it has halved."""


class TweetSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything the tweets of a night depend on besides the night itself, seed and scale."""

    announcement: bool = True
    """False gives the twin: the same night, tweet for tweet, without the announcement and all that came of it."""
    background_per_minute: Rate = 40.0
    """Tweets about anything else, the mean over a day; fewer in the small hours."""
    farewells_per_minute: Rate = 2.0
    """Tweets on colleagues who leave, thread or no thread: what the announcement's subject has without it."""
    anticipation_per_minute: Rate = 420.0
    """Talk of the launch when it is due to start."""
    anticipation_doubling_minutes: Minutes = 25.0
    """Before the start that rate doubles every so many minutes."""
    wave_per_minute: Rate = 2_400.0
    """Tweets on the failure, were the rooms at full strain for long; it follows the strain."""
    wave_lag_minutes: Minutes = 4.0
    """How slowly the wave follows a rising strain (time constant)."""
    wave_half_life_minutes: Minutes = 35.0
    """How slowly it dies down when the strain is over."""
    talk_per_minute: Rate = 500.0
    """Tweets on what is said during the talk."""
    aftermath_per_minute: Rate = 160.0
    """Talk about the launch at the end of the talk."""
    aftermath_half_life_minutes: Minutes = 150.0
    """How slowly that dies down."""
    listener_share: Share = 0.55
    """Share of tweets written by people with a listener's id, as far as there are others who never try to listen."""
    cascade: CascadeSpec = CascadeSpec()
    thread: ThreadSpec = ThreadSpec()
