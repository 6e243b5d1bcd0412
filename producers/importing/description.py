"""The metadata of an imported tape: times, phases, rooms and subjects, as given or as seen from the events."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import polars as pl

from producers.importing.importspec import ImportSpec, Moment
from producers.importing.posts import Posts
from producers.importing.times import moment
from producers.tape.tapeformat import MOST_SPACES, TapeInfo
from streams.contract.names import ALL
from streams.contract.runinfo import DEFAULT_WINDOW_MS, Phase, SubjectRule
from streams.errors import EventFileError

WHOLE_NIGHT: Final = "night"
"""The one phase of a recording without phases."""
BEFORE: Final = "before"
"""The time before the first phase given."""
LONGEST_NAME: Final = 200
"""Letters in the name of a room."""


@dataclass(frozen=True)
class Bounds:
    """What the events themselves show: first and last time, rooms in the order they appear, number of people."""

    first: int
    last: int
    spaces: tuple[str, ...]
    people: int


def tape_info(spec: ImportSpec, seen: Bounds, posts: Posts, *, name: str, generator: str) -> TapeInfo:
    """Return the metadata of the tape.

    Args:
        spec: The settings.
        seen: What the events show.
        posts: As they stand on the tape.
        name: What the tape is called unless the settings have a name.
        generator: The program that makes it.

    Raises:
        EventFileError: Settings that cannot be: a time outside the night, phases out of order, an unknown thread.
    """
    times = _SettingsTimes(spec)
    phases = [Phase(phase.name, times.at(phase.start, "phases"), phase.quiet) for phase in spec.phases]
    start = times.at(spec.start, "start") if spec.start is not None else min([seen.first, *(p.start for p in phases)])
    start -= start % DEFAULT_WINDOW_MS
    end = times.at(spec.end, "end") if spec.end is not None else seen.last + 1 + -(seen.last + 1) % DEFAULT_WINDOW_MS
    if not start <= seen.first <= seen.last <= end:
        raise EventFileError(f"start and end: the night is {show(start)} to {show(end)}, but the events are from "
                             f"{show(seen.first)} to {show(seen.last)}")  # fmt: skip
    talk_start = times.within(spec.talk_start, "talk_start", start, end) if spec.talk_start is not None else start
    thread, announced = _thread(spec, posts, times)
    return TapeInfo(
        format=1,
        name=spec.name or name,
        scenario={},
        seed=0,
        scale=1.0,
        events=0,
        people=seen.people,
        start=start,
        end=end,
        talk_start=talk_start,
        phases=_phases(phases, start, end),
        spaces=seen.spaces,
        thread=thread,
        announced=announced,
        subjects=_subjects(spec, posts, thread),
        sha256="",
        generator=generator,
        zone=spec.zone,
    )


def space_names(spec: ImportSpec, used: pl.Series) -> tuple[str, ...]:
    """Return the rooms: as listed, then as they appear; raises EventFileError for what a tape cannot hold."""
    names = tuple(dict.fromkeys([*spec.spaces, *used.drop_nulls().unique(maintain_order=True)]))
    if ALL in names:
        raise EventFileError(f"a space cannot be called {ALL!r}: that stands for all of them")
    long = next((name for name in names if len(name) > LONGEST_NAME), None)
    if long is not None:
        raise EventFileError(
            f"a space is called {long[:40]!r} …: {len(long)} letters, at most {LONGEST_NAME} are allowed"
        )
    if len(names) > MOST_SPACES:
        raise EventFileError(
            f"{len(names)} different spaces ({', '.join(names[:5])} …), a tape holds at most {MOST_SPACES}: "
            "import the rooms of one event, or map another column with --column space=NAME"
        )
    return names


class _SettingsTimes:
    """Reads the times of the settings as those of the file."""

    def __init__(self, spec: ImportSpec) -> None:
        self._reading = spec.clock()

    def at(self, value: Moment, field: str) -> int:
        return moment(value, self._reading, field)

    def within(self, value: Moment, field: str, start: int, end: int) -> int:
        at = self.at(value, field)
        if not start <= at <= end:
            raise EventFileError(f"{field}: {show(at)} is not in the night, which is {show(start)} to {show(end)}")
        return at


def _phases(phases: list[Phase], start: int, end: int) -> tuple[Phase, ...]:
    if not phases or phases[0].start > start:
        phases = [Phase(BEFORE if phases else WHOLE_NIGHT, start), *phases]
    names = [phase.name for phase in phases]
    starts = [phase.start for phase in phases]
    if len(set(names)) < len(names) or starts != sorted(starts) or starts[-1] > end or starts[0] < start:
        raise EventFileError(
            f"phases: expected different names with growing times from {show(start)} to {show(end)}, found "
            + ", ".join(f"{phase.name} at {show(phase.start)}" for phase in phases)
        )
    return tuple(phases)


def _thread(spec: ImportSpec, posts: Posts, times: _SettingsTimes) -> tuple[str, int | None]:
    if spec.thread in (None, ""):
        if spec.announced is not None:
            raise EventFileError("announced: there is no thread; name its conversation with thread")
        return "", None
    number = posts.number(str(spec.thread))
    begun = posts.frame.filter(pl.col("conversation") == number)["at"].min()
    if number is None or (begun is None and spec.announced is None):
        raise EventFileError(f"thread: no post belongs to a conversation {str(spec.thread)!r}")
    return str(number), int(str(begun)) if spec.announced is None else times.at(spec.announced, "announced")


def _subjects(spec: ImportSpec, posts: Posts, thread: str) -> tuple[SubjectRule, ...]:
    if not spec.subjects:
        return (SubjectRule("announcement", conversations=(thread,)),) if thread else ()
    return tuple(
        SubjectRule(
            rule.subject,
            tuple(str(number) for c in rule.conversations if (number := posts.number(c)) is not None),
            tuple(tag.lstrip("#").lower() for tag in rule.hashtags),
            tuple(_ascii_lower(word) for word in rule.words),
        )
        for rule in spec.subjects
    )


def _ascii_lower(text: str) -> str:
    """As the subject rule reads texts: other letters than A to Z stay as they are."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def show(at: int) -> str:
    """Return an event time (ms) as ISO 8601."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
