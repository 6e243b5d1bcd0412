"""Small parts of a wrong engine's night that probably show its bug, the most likely first; no I/O."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from joinstorm.conformance.certificate import PointOutcome
from joinstorm.conformance.nightmarks import is_mark
from streams.golden import GoldenNight

ODD: Final = 2
"""How many events of wrong windows are tried alone that arrive twice or behind their watermark."""
LIKELY: Final = 2
"""Of how many people only the events in wrong windows are tried."""
PEOPLE: Final = 8
"""How many people of wrong windows are tried alone before the whole night is halved."""
ANYBODY: Final = 3
"""How many people are tried alone where no count is wrong."""
_SOURCE: Final = re.compile(r"([\w.-]+)\[(\d+)\]@(\d+)")
"""A record as messages name it."""
_TIME: Final = re.compile(r"\b\d{13}\b")
"""A moment of the night as messages name it."""


class Suspicion:
    """What an outcome says about the records of its night; a record is given by its place in the night.

    Args:
        night: The night that was played.
        outcome: Its outcome, not exact.
    """

    def __init__(self, night: GoldenNight, outcome: PointOutcome) -> None:
        self.night, self.outcome = night, outcome
        self.everything = [place for place, record in enumerate(night.records) if not is_mark(record)]
        self.bad = [place for place in self.everything if night.records[place].reason]
        self.windows = {one.window for one in outcome.named}

    def guesses(self) -> Iterator[list[int]]:
        """Yield parts to try, each smaller than the night and not empty, none twice."""
        tried = {(), tuple(self.everything)}
        for guess in self._guesses():
            if tuple(guess) not in tried:
                tried.add(tuple(guess))
                yield guess

    def _guesses(self) -> Iterator[list[int]]:
        yield from ([place] for place in self._named())
        yield self.bad[:1]
        odd, people = self._odd(), self._people()
        yield from [copies for copies in odd if self._touched(copies)][:ODD]
        yield from self._neighbours()
        strange = {place for copies in odd for place in copies}
        close = [own for own in people if self._touched(own)]
        # Who changed most of the wrong windows comes first, then who is odd or out of order, then who has few events.
        close.sort(key=lambda own: (-len(self._touched(own)), strange.isdisjoint(own) and self._ordered(own), len(own)))
        yield from ([place for place in own if self._touched([place])] for own in close[:LIKELY])
        yield from close[:PEOPLE]
        if not self.windows:  # what is wrong is no count: perhaps anybody shows it
            yield from people[:ANYBODY]
        yield [place for place in self.bad if self._touched([place])]
        yield self.bad
        yield sorted(place for own in close for place in own)

    def _named(self) -> list[int]:
        """Return the records that the outcome names, by their source or by their time.

        A topic's full name has its base name in it. An engine that takes a time from an event names that event.
        """
        times = {int(time) for time in _TIME.findall(self.outcome.detail)}
        found = {(topic, int(p), int(offset)) for topic, p, offset in _SOURCE.findall(self.outcome.detail)}
        places = []
        offsets: dict[tuple[str, int], int] = {}
        for place, record in enumerate(self.night.records):
            where = (record.topic, record.partition)
            offset = offsets[where] = offsets.get(where, -1) + 1
            by_source = any(record.topic in topic and (p, at) == (record.partition, offset) for topic, p, at in found)
            if by_source or record.timestamp in times:
                places.append(place)
        return [place for place in places if not is_mark(self.night.records[place])]

    def _odd(self) -> list[list[int]]:
        """Return the copies of each event that arrives twice or behind its watermark."""
        copies: dict[bytes, list[int]] = {}
        watermark: dict[tuple[str, int], int] = {}
        odd: dict[bytes, None] = {}
        for place, record in enumerate(self.night.records):
            where = (record.topic, record.partition)
            if is_mark(record):
                watermark[where] = max(record.timestamp, watermark.get(where, 0))
            elif not record.reason:
                own = copies.setdefault(record.value, [])
                own.append(place)
                if len(own) > 1 or record.timestamp < watermark.get(where, 0):
                    odd[record.value] = None
        return [copies[value] for value in odd]

    def _neighbours(self) -> list[list[int]]:
        """Return two events of the first wrong window that lie far apart in its partitions, and each of them alone.

        Two workers that take the same row for theirs are wrong where both have events of one window.
        """
        first_window = min(self.windows, default=None)
        places = [place for place in self.everything if first_window in self._touched([place])]
        places.sort(key=lambda place: (self.night.records[place].topic, self.night.records[place].partition))
        first = [place for place in places if self.night.records[place].topic == self.night.records[places[0]].topic]
        return [sorted(first[:1] + first[-1:]), first[:1], first[-1:]]

    def _people(self) -> list[list[int]]:
        """Return the events of each person."""
        found: dict[tuple[str, bytes | None], list[int]] = {}
        for place in self.everything:
            record = self.night.records[place]
            if not record.reason:
                found.setdefault((record.topic, record.key), []).append(place)
        return list(found.values())

    def _ordered(self, places: Sequence[int]) -> bool:
        """Whether these events arrive in the order in which they happened."""
        times = [self.night.records[place].timestamp for place in places]
        return times == sorted(times)

    def _touched(self, places: Sequence[int]) -> set[int]:
        """Return the wrong windows in which these events happened."""
        step = self.night.info.window_ms
        return {at - at % step for at in (self.night.records[place].timestamp for place in places)} & self.windows
