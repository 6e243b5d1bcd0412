"""The rate of tweets on each theme at every minute of a night."""

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from producers.scenario.tweetspec import TweetSpec
from producers.simulation.outline import NightOutline
from producers.tweets.draws import Draws, Ints
from streams.contract.names import MINUTE_MS

_MICRO = 1_000_000
_DAY: Final = (
    *(125, 120, 113, 100, 82, 66, 52, 42, 36, 34, 38, 50),
    *(68, 85, 98, 106, 114, 120, 121, 120, 122, 125, 128, 128),
)
"""Relative rate at each full hour of the day, UTC: highest in the American evening, lowest in its small hours."""

Rate = Callable[[int], float]
"""Originals per minute at scale 1 by event time (ms)."""


def rates(spec: TweetSpec, night: NightOutline) -> dict[str, Rate]:
    """Return the rate of each theme except the thread's; no theme depends on another."""
    strain = _strain_felt(spec, night)
    by_theme = {
        "background": _daily(spec.background_per_minute),
        "farewells": _daily(spec.farewells_per_minute),
        "anticipation": _anticipation(spec, night),
        "wave": lambda at: spec.wave_per_minute * strain(at),
        "talk": _talk(spec, night),
        "aftermath": _aftermath(spec, night),
    }
    if spec.announcement and night.announced is not None:
        by_theme["about"] = _about(spec, night.announced)
    return by_theme


def times(rate: Rate, night: NightOutline, scale: float, draws: Draws) -> Ints:
    """Return the event times (ms) of originals in order: a Poisson process of this rate."""
    starts = np.arange(night.start, night.end, MINUTE_MS, dtype=np.int64)
    widths = np.minimum(starts + MINUTE_MS, night.end) - starts
    levels = [rate(int(start) + MINUTE_MS // 2) for start in starts]
    expected = [round(level * scale * int(w) * _MICRO / MINUTE_MS) for level, w in zip(levels, widths, strict=True)]
    upto = np.cumsum(np.array(expected, dtype=np.int64))
    if not len(upto) or not upto[-1]:
        return np.empty(0, dtype=np.int64)
    count = draws.poisson("number", float(upto[-1]) / _MICRO)
    minute = np.searchsorted(upto, draws.below("minute", int(upto[-1]), count), side="right")
    return np.sort(starts[minute] + draws.below("moment", widths[minute], count))


def _daily(mean: float) -> Rate:
    """Return a daily rhythm around a mean, linear from hour to hour."""
    unit = mean * len(_DAY) / sum(_DAY)

    def rate(at: int) -> float:
        hour, past = divmod(at // MINUTE_MS % (24 * 60), 60)
        return unit * (_DAY[hour] * (60 - past) + _DAY[(hour + 1) % 24] * past) / 60

    return rate


def _anticipation(spec: TweetSpec, night: NightOutline) -> Rate:
    """Return a rate that doubles towards the scheduled start and quickly fades after it."""
    rise = spec.anticipation_doubling_minutes * MINUTE_MS

    def rate(at: int) -> float:
        before = night.scheduled_start - at
        if before >= 0:
            return spec.anticipation_per_minute * math.pow(2, -before / rise)
        return spec.anticipation_per_minute * math.pow(2, before / (5 * MINUTE_MS))

    return rate


def _talk(spec: TweetSpec, night: NightOutline) -> Rate:
    """Return a constant rate during the talk."""
    return lambda at: spec.talk_per_minute if night.talk_start <= at < night.talk_end else 0.0


def _aftermath(spec: TweetSpec, night: NightOutline) -> Rate:
    """Return a rate that decays exponentially from the end of the talk."""
    half = spec.aftermath_half_life_minutes * MINUTE_MS

    def rate(at: int) -> float:
        since = at - night.talk_end
        return spec.aftermath_per_minute * 2.0 ** (-since / half) if since >= 0 else 0.0

    return rate


def _about(spec: TweetSpec, announced: int) -> Rate:
    """Return a rate that rises linearly to its peak and then decays exponentially."""
    rise = spec.thread.about_rise_minutes * MINUTE_MS
    half = spec.thread.about_half_life_minutes * MINUTE_MS

    def rate(at: int) -> float:
        since = at - announced
        if since < 0:
            return 0.0
        return spec.thread.about_per_minute * (since / rise if since < rise else 2.0 ** (-(since - rise) / half))

    return rate


def _strain_felt(spec: TweetSpec, night: NightOutline) -> Rate:
    """Return the strain as people write about it: it follows that of the rooms with a lag and decays slowly."""
    rise = 1 - math.exp(-1 / spec.wave_lag_minutes)
    keep = 2.0 ** (-1 / spec.wave_half_life_minutes)
    felt: list[float] = []
    level = 0.0
    for minute in range((night.end - night.start) // MINUTE_MS + 1):
        strain = night.strain[minute] if minute < len(night.strain) else 0.0
        level = max(level + rise * (strain - level), level * keep) if strain > level else max(strain, level * keep)
        felt.append(level)
    return lambda at: felt[(at - night.start) // MINUTE_MS]
