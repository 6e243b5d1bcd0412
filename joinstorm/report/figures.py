"""The report's headline figures: what an engine counted, in a few numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from joinstorm.report import picturestyle as style
from joinstorm.report.pictures import PictureData
from streams.contract.names import MINUTE_MS
from streams.effect.baseline import Estimate
from streams.read.derive import POSTED, ResultsAt

SCHEDULED: Final = "scheduled_start"
_FULL_SIZE: Final = 1.0
_HOUR_MS: Final = 60 * MINUTE_MS


@dataclass(frozen=True)
class Figure:
    """One headline figure.

    Args:
        value: As it is shown.
        words: What it is.
        note: What else there is to say.
    """

    value: str
    words: str
    note: str = ""


def figures(sight: PictureData) -> list[Figure]:
    """Return the headline figures, the most telling first; what did not happen is left out."""
    now = sight.engine.at(sight.grid.end)
    return [*_waiting(sight, now), *_rooms(sight, now), *_late(sight), *_tweets(sight, now), *_reaction(sight)]


def _waiting(sight: PictureData, now: ResultsAt) -> Iterator[Figure]:
    waited = now.waited_20m()
    if waited:
        yield Figure(f"{waited:,}", "people waited 20 minutes or more", full_size(sight, waited))


def _rooms(sight: PictureData, now: ResultsAt) -> Iterator[Figure]:
    for space in sight.engine.spaces:
        peak, at = now.peak(space)
        if peak:
            note = ", ".join(part for part in (full_size(sight, peak), f"at {style.clock(at)}") if part)
            yield Figure(f"{peak:,}", f"listeners in the {space} room at its peak", note)
    attempts, drops = (sum(now.presence(s, count) for s in sight.engine.spaces) for count in ("attempts", "drops"))
    if attempts:
        people = now.distinct_listeners()
        yield Figure(f"{attempts:,}", "attempts to get in", f"{people:,} different people got in, {drops:,} drops")


def _late(sight: PictureData) -> Iterator[Figure]:
    start = next((phase.start for phase in sight.info.phases if phase.name == SCHEDULED), None)
    if start is not None and sight.info.talk_start > start:
        late = (sight.info.talk_start - start) / MINUTE_MS
        yield Figure(f"{late:.0f} min", "late the talk began", f"at {style.clock(sight.info.talk_start)}")


def _tweets(sight: PictureData, now: ResultsAt) -> Iterator[Figure]:
    total = sum(now.tweets(subject, kind) for subject in sight.engine.subjects for kind in POSTED)
    if total:
        authors = f"by {now.distinct_authors():,} authors"
        tags = ", ".join(f"#{tag}" for tag in list(now.hashtags())[:2])
        yield Figure(f"{total:,}", "tweets", f"{authors}; most used: {tags}" if tags else authors)


def _reaction(sight: PictureData) -> Iterator[Figure]:
    found = sight.reaction
    if found is None or not found.observed:
        return
    excess = f"{found.excess.value:,.0f} tweets more ({found.excess.low:,.0f} to {found.excess.high:,.0f})"
    yield Figure(f"{found.uplift.value:,.3g} times", f"the tweets expected without the {sight.subject}", excess)
    half = found.half_life_ms
    if half is not None:
        yield Figure(duration(half.value), "until half of the reaction had come", _between(half))


def _between(found: Estimate) -> str:
    return f"{duration(found.low)} to {duration(found.high)}, from its peak on"


def duration(milliseconds: float) -> str:
    """Return a time span for people."""
    hours, minutes = divmod(round(milliseconds / MINUTE_MS), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def full_size(sight: PictureData, count: int) -> str:
    """Return what a count comes to at the real size; empty when the night has it."""
    if sight.info.scale == _FULL_SIZE:
        return ""
    return f"{float(f'{count / sight.info.scale:.3g}'):,.0f} at full size"
