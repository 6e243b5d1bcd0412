"""Recording a night: simulate the rooms, then lay the tweets between their events, block by block, onto a tape."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from producers.scenario.spec import MOST_SEEDS, Scenario
from producers.simulation.demand import Demand, draw_demand
from producers.simulation.hosts import Programme
from producers.simulation.outline import NightOutline
from producers.simulation.presencelog import KINDS, NONE, REASONS, Events, PresenceLog
from producers.simulation.simulate import Course, Evening
from producers.tape.tapefile import TapeWriter
from producers.tape.tapeformat import SCHEMA, TapeInfo
from producers.tweets.source import TweetSource
from streams.contract.names import MINUTE_MS, PhaseName
from streams.contract.runinfo import Phase
from streams.contract.topics import PRESENCE, TWEETS
from streams.errors import ScenarioError, TapeError

SPACES = ("first", "second")
MAX_SCALE = 100.0
_SLICE_ROWS = 1 << 18
_SLICE_MS = 10 * MINUTE_MS
_MOST_LISTENERS = 200_000_000
_COLUMNS = pa.schema([field for field in SCHEMA if field.name != "event_id"])
# Typed: to find a type out PyArrow looks for optional packages, and clears away an interruption in the middle of it.
_TOPIC, _SPACE, _KIND, _REASON = (
    pa.array(words, pa.string()) for words in ((PRESENCE, TWEETS), SPACES, KINDS, REASONS)
)


@dataclass(frozen=True)
class Recording:
    """A tape that was just made, and what only its making knows."""

    info: TapeInfo
    path: Path
    listeners: int
    tweets: int
    night: NightOutline
    course: Course


Progress = Callable[[str, float], None]
"""Told the stage (``rooms``, ``tape``) and how much of it is done, 0 … 1."""


def record(
    scenario: Scenario,
    path: Path | str,
    *,
    scale: float = 1.0,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Recording:
    """Make the tape of a night; the same scenario, scale and seed give the same content anywhere.

    Args:
        scenario: What to simulate.
        path: The tape to write.
        scale: 1 is the real size.
        seed: The scenario's own if not given.
        progress: Told how far it is.

    Raises:
        ScenarioError: The scale is not between 0 (excluded) and ``MAX_SCALE``, the seed is out of range, or the crowd
            is too large.
        TapeError: The tape cannot be written.
    """
    path = Path(path)
    seed = scenario.seed if seed is None else seed
    listeners = _listeners(scenario, scale, seed)
    told = progress or (lambda _stage, _share: None)
    with _spool(path) as file:
        demand, evening = simulate(scenario, scale=scale, seed=seed, file=file, progress=lambda s: told("rooms", s))
        night = night_of(scenario, evening.programme, evening.course)
        size = scale * scenario.size
        people = listeners + round(scenario.crowd.further_authors * size) + 1
        tweets = TweetSource(scenario.tweets, night, seed=seed, scale=size, people=people, listeners=listeners)
        with TapeWriter(path) as writer:
            for rows, until in _merged(evening.events, demand, tweets, night):
                writer.append(rows)
                told("tape", (until - night.start) / (night.end - night.start))
            info = writer.finish(_info(scenario, scale, seed, people, night, tweets, evening.programme))
    return Recording(info, path, listeners, info.events - evening.events.total, night, evening.course)


def simulate(
    scenario: Scenario, *, scale: float, seed: int, file: BinaryIO, progress: Callable[[float], None] | None = None
) -> tuple[Demand, Evening]:
    """Play the evening in the rooms; its events are in ``file`` afterwards, in order of time."""
    schedule = scenario.schedule
    opens_ms = _ms(schedule.opens) - _ms(schedule.scheduled_start)
    listeners = _listeners(scenario, scale, seed)
    demand = draw_demand(scenario.crowd, seed=seed, listeners=listeners, opens_ms=opens_ms)
    evening = Evening(scenario, demand, seed=seed, scale=scale * scenario.size, file=file)
    hosts = scenario.hosts
    usual = -opens_ms + (hosts.close_after_minutes + hosts.talk_minutes + hosts.end_minutes) * MINUTE_MS
    evening.run(None if progress is None else lambda now: progress(min(1.0, now / usual)))
    if progress is not None:
        progress(1.0)
    return demand, evening


def night_of(scenario: Scenario, programme: Programme, course: Course) -> NightOutline:
    """Put the evening's course into event time and name its phases."""
    start = _ms(scenario.schedule.opens)
    if programme.talk_start is None or programme.talk_end is None:
        raise AssertionError("an evening ends after its talk")
    return NightOutline(
        start=start,
        end=_ms(scenario.schedule.ends),
        scheduled_start=_ms(scenario.schedule.scheduled_start),
        first_closed=None if programme.closed is None else start + programme.closed,
        talk_start=start + programme.talk_start,
        talk_end=start + programme.talk_end,
        announced=_announced(scenario),
        phases=tuple(_phases(scenario, programme, start)),
        strain=course.strain_by_minute(),
    )


def _phases(scenario: Scenario, programme: Programme, start: int) -> Iterator[Phase]:
    """Yield the phases in order; those that did not come to pass are left out."""
    schedule = scenario.schedule
    end = programme.talk_end or 0
    within = [
        (PhaseName.OPEN, 0),
        (PhaseName.SCHEDULED_START, programme.scheduled),
        (PhaseName.MELTING, programme.melting),
        (PhaseName.FIRST_CLOSED, programme.closed),
        (PhaseName.SECOND_ROOM, programme.reopened),
        (PhaseName.TALK, programme.talk_start),
        (PhaseName.END, end),
    ]
    for name, at in within:
        if at is not None:
            yield Phase(name, start + at)
    yield Phase(PhaseName.NIGHT, start + end + round(scenario.hosts.end_minutes * MINUTE_MS), quiet=True)
    if schedule.thread is not None:
        yield Phase(PhaseName.THREAD, _ms(schedule.thread))
        yield Phase(PhaseName.AFTERMATH, _ms(schedule.thread) + round(schedule.thread_minutes * MINUTE_MS), quiet=True)


def _announced(scenario: Scenario) -> int | None:
    thread = scenario.schedule.thread
    return None if thread is None or not scenario.tweets.announcement else _ms(thread)


def _info(
    scenario: Scenario,
    scale: float,
    seed: int,
    people: int,
    night: NightOutline,
    tweets: TweetSource,
    programme: Programme,
) -> TapeInfo:
    return TapeInfo(
        format=1,
        name=scenario.name,
        scenario=msgspec.to_builtins(scenario),
        seed=seed,
        scale=scale,
        events=0,
        people=people,
        start=night.start,
        end=night.end,
        talk_start=night.talk_start,
        phases=night.phases,
        spaces=SPACES if programme.reopened is not None else SPACES[:1],
        thread=tweets.thread_id,
        announced=night.announced,
        subjects=tweets.subjects,
        sha256="",
        generator=version("joinstorm"),
    )


def _merged(
    log: PresenceLog, demand: Demand, tweets: TweetSource, night: NightOutline
) -> Iterator[tuple[pa.Table, int]]:
    """Yield rows in order of time and the event time they reach, a slice at a time; at a tie presence comes first."""
    chunks = log.read()
    waiting = next(chunks, None)
    begin = night.start
    while begin < night.end:
        while waiting is not None and len(waiting) <= _SLICE_ROWS and (more := next(chunks, None)) is not None:
            waiting = np.concatenate([waiting, more])
        end = min(begin + _SLICE_MS, night.end)
        if waiting is not None and len(waiting) > _SLICE_ROWS:
            end = min(end, max(begin + 1, night.start + int(waiting["at"][_SLICE_ROWS])))
        ready = 0 if waiting is None else int(np.searchsorted(waiting["at"], end - night.start))
        presence = [] if waiting is None else [_presence_rows(waiting[:ready], demand, night.start)]
        waiting = None if waiting is None else waiting[ready:]
        yield _in_order(pa.concat_tables([*presence, tweets.chunk(begin, end)])), end
        begin = end


def _in_order(table: pa.Table) -> pa.Table:
    order = np.argsort(table.column("at").to_numpy(), kind="stable")
    return table.unify_dictionaries().combine_chunks().take(pa.array(order))


def _presence_rows(events: Events, demand: Demand, start: int) -> pa.Table:
    """Turn the simulation's events into the tape's columns."""
    count = len(events)
    columns: dict[str, pa.Array] = {
        "at": pa.array(events["at"].astype(np.int64) + start),
        "topic": _words(np.zeros(count, dtype=np.int8), _TOPIC),
        "kind": _words(events["kind"], _KIND),
        "person": pa.array(events["person"].astype(np.int64)),
        "space": _words(events["room"], _SPACE),
        "client": _words(demand.client[events["person"]], pa.array(demand.clients, pa.string())),
        "try": pa.array(events["try"].astype(np.int32)),
        "reason": _words(events["reason"], _REASON),
        "since_drop_ms": pa.array(events["since_drop"].astype(np.int64), mask=events["since_drop"] == NONE),
    }
    arrays = [columns.get(field.name, pa.nulls(count, field.type)) for field in _COLUMNS]
    return pa.Table.from_arrays(arrays, schema=_COLUMNS)


def _words(codes: npt.NDArray[np.int8], words: pa.Array) -> pa.DictionaryArray:
    codes = np.ascontiguousarray(codes)
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes == NONE), words)


def _listeners(scenario: Scenario, scale: float, seed: int) -> int:
    if not 0 < scale <= MAX_SCALE:
        raise ScenarioError(f"scale {scale:g}: expected more than 0, at most {MAX_SCALE:g}")
    if not 0 <= seed < MOST_SEEDS:
        raise ScenarioError(f"seed {seed}: expected 0 to {MOST_SEEDS - 1}")
    listeners = max(1, round(scenario.crowd.listeners * scenario.size * scale))
    if listeners > _MOST_LISTENERS:
        raise ScenarioError(f"scale {scale:g}: {listeners:,} listeners; at most {_MOST_LISTENERS:,} can be simulated")
    return listeners


def _spool(path: Path) -> Any:
    """Return a nameless file beside the tape, where there is room for the tape as well."""
    try:
        return tempfile.TemporaryFile(dir=path.absolute().parent)
    except OSError as error:
        raise TapeError(f"{path}: no file can be written beside it: {error}") from None


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
