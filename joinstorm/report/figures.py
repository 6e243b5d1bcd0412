"""The report's headline figures: the engine's counts in a few numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

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
        value: The figure as shown.
        label: What it is.
        note: Further details.
    """

    value: str
    label: str
    note: str = ""


def figures(data: PictureData) -> list[Figure]:
    """Return the headline figures, the most important first; what did not happen is left out."""
    now = data.engine.at(data.grid.end)
    return [*_waiting(data, now), *_rooms(data, now), *_late(data), *_tweets(data, now), *_reaction(data)]


def _waiting(data: PictureData, now: ResultsAt) -> Iterator[Figure]:
    waited = now.waited_20m()
    if waited:
        yield Figure(f"{waited:,}", "people waited 20 minutes or more", full_size(data, waited))


def _rooms(data: PictureData, now: ResultsAt) -> Iterator[Figure]:
    for space in data.rooms:
        peak, at = now.peak(space)
        if peak:
            note = ", ".join(part for part in (full_size(data, peak), f"at {data.wording.clock(at)}") if part)
            yield Figure(f"{peak:,}", f"listeners in {_room(data, space)} at its peak", note)
    attempts, drops = (sum(now.presence(s, count) for s in data.engine.spaces) for count in ("attempts", "drops"))
    if attempts:
        people = now.distinct_listeners()
        yield Figure(f"{attempts:,}", "attempts to get in", f"{people:,} distinct people got in, {drops:,} drops")


def _room(data: PictureData, space: str) -> str:
    return space if data.wording.own else f"the {data.wording.room.format(space)}"


def _late(data: PictureData) -> Iterator[Figure]:
    start = next((phase.start for phase in data.info.phases if phase.name == SCHEDULED), None)
    if start is not None and data.info.talk_start > start:
        late = (data.info.talk_start - start) / MINUTE_MS
        yield Figure(f"{late:.0f} min", "delay of the talk", f"at {data.wording.clock(data.info.talk_start)}")


def _tweets(data: PictureData, now: ResultsAt) -> Iterator[Figure]:
    total = sum(now.tweets(subject, kind) for subject in data.engine.subjects for kind in POSTED)
    posts = data.wording.posts
    if total:
        authors = f"by {now.distinct_authors():,} authors"
        tags = ", ".join(f"#{tag}" for tag in list(now.hashtags())[:2])
        yield Figure(f"{total:,}", posts, f"{authors}; most used: {tags}" if tags else authors)


def _reaction(data: PictureData) -> Iterator[Figure]:
    found = data.reaction
    if found is None or not found.observed:
        return
    posts = data.wording.posts
    excess = f"{found.excess.value:,.0f} {posts} more ({found.excess.low:,.0f} to {found.excess.high:,.0f})"
    yield Figure(f"{found.uplift.value:,.3g} times", f"the {posts} expected without the {data.subject}", excess)
    half = found.half_life_ms
    if half is not None:
        yield Figure(duration(half.value), "until half of the reaction had arrived", _between(half))


def _between(found: Estimate) -> str:
    return f"{duration(found.low)} to {duration(found.high)}, counted from the peak"


def duration(milliseconds: float) -> str:
    """Return a duration as text."""
    hours, minutes = divmod(round(milliseconds / MINUTE_MS), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def full_size(data: PictureData, count: int) -> str:
    """Return a count projected to full size, as text; empty when the night has full size."""
    if data.info.scale == _FULL_SIZE:
        return ""
    return f"{float(f'{count / data.info.scale:.3g}'):,.0f} at full size"
