"""Recording a night: simulate the rooms, merge their events with the tweets, and write the tape block by block."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from producers.scenario.incidentspec import MELTING, ExpectSpec
from producers.scenario.spec import MOST_SEEDS, Scenario
from producers.simulation.demand import Demand, draw_demand
from producers.simulation.hosts import HostSchedule
from producers.simulation.incidentphases import interrupted, windows
from producers.simulation.outline import NightOutline
from producers.simulation.presencelog import KINDS, NONE, REASONS, Events, PresenceLog, SpoolError
from producers.simulation.simulate import Evening, RoomHistory
from producers.tape.tapefile import TapeWriter
from producers.tape.tapeformat import SCHEMA, TapeInfo
from producers.tweets.source import TweetSource
from streams.contract.names import MINUTE_MS, PhaseName
from streams.contract.runinfo import Capacity, Phase
from streams.contract.topics import PRESENCE, TWEETS
from streams.errors import TapeError, UsageError, reason

SPACES = ("first", "second")
MAX_SCALE = 100.0
_SLICE_ROWS = 1 << 18
_SLICE_MS = 10 * MINUTE_MS
_MOST_LISTENERS = 200_000_000
_COLUMNS = pa.schema([field for field in SCHEMA if field.name != "event_id"])
# Typed, because PyArrow imports optional packages to infer a type, and swallows an interruption meanwhile.
_TOPIC, _SPACE, _KIND, _REASON = (
    pa.array(values, pa.string()) for values in ((PRESENCE, TWEETS), SPACES, KINDS, REASONS)
)


@dataclass(frozen=True)
class Recording:
    """A tape just made, with what the tape itself does not hold."""

    info: TapeInfo
    path: Path
    listeners: int
    tweets: int
    night: NightOutline
    history: RoomHistory


Progress = Callable[[str, float], None]
"""Called with the stage (``rooms``, ``tape``) and the share of it that is done, 0 … 1."""


def record(
    scenario: Scenario,
    path: Path | str,
    *,
    scale: float = 1.0,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Recording:
    """Make the tape of a night; the same scenario, scale and seed give the same content on any machine.

    Args:
        scenario: What to simulate.
        path: The tape to write.
        scale: 1 is the real size.
        seed: The seed; the scenario's own if not given.
        progress: Called with the progress.

    Raises:
        UsageError: The scale is not between 0 (excluded) and ``MAX_SCALE``, the seed is out of range, or the crowd is
            too large.
        TapeError: The tape cannot be written.
    """
    path = Path(path)
    seed = scenario.seed if seed is None else seed
    listeners = _listeners(scenario, scale, seed)
    report = progress or (lambda _stage, _share: None)
    with _spool(path) as file:
        demand, evening = simulate(scenario, scale=scale, seed=seed, file=file, progress=lambda s: report("rooms", s))
        night = night_of(scenario, evening.hosts, evening.history)
        size = scale * scenario.size
        people = listeners + round(scenario.crowd.further_authors * size) + 1
        tweets = TweetSource(scenario.tweets, night, seed=seed, scale=size, people=people, listeners=listeners)
        with TapeWriter(path) as writer:
            for rows, until in _merged(evening.events, demand, tweets, night):
                writer.append(rows)
                report("tape", (until - night.start) / (night.end - night.start))
            info = writer.finish(_info(scenario, scale, seed, people, night, tweets, evening))
    return Recording(info, path, listeners, info.events - evening.events.total, night, evening.history)


def simulate(
    scenario: Scenario, *, scale: float, seed: int, file: BinaryIO, progress: Callable[[float], None] | None = None
) -> tuple[Demand, Evening]:
    """Simulate the evening in the rooms; its events go to ``file``, in order of time."""
    schedule = scenario.schedule
    opens_ms = _ms(schedule.opens) - _ms(schedule.scheduled_start)
    listeners = _listeners(scenario, scale, seed)
    demand = draw_demand(
        scenario.crowd, seed=seed, listeners=listeners, opens_ms=opens_ms, incidents=scenario.incidents
    )
    evening = Evening(scenario, demand, seed=seed, scale=scale * scenario.size, file=file)
    hosts = scenario.hosts
    expected = -opens_ms + (hosts.close_after_minutes + hosts.talk_minutes + hosts.end_minutes) * MINUTE_MS
    evening.run(None if progress is None else lambda now: progress(min(1.0, now / expected)))
    if progress is not None:
        progress(1.0)
    return demand, evening


def night_of(scenario: Scenario, hosts: HostSchedule, history: RoomHistory) -> NightOutline:
    """Return the night's outline in event time, with its phases."""
    start = _ms(scenario.schedule.opens)
    if hosts.talk_start is None or hosts.talk_end is None:
        raise AssertionError("an evening ends after its talk")
    incidents = windows(scenario, start, hosts.scheduled, history.strain)
    return NightOutline(
        start=start,
        end=_ms(scenario.schedule.ends),
        scheduled_start=_ms(scenario.schedule.scheduled_start),
        talk_start=start + hosts.talk_start,
        talk_end=start + hosts.talk_end,
        announced=_announced(scenario),
        phases=tuple(interrupted([*_phases(scenario, hosts, start)], incidents)),
        strain=history.strain_by_minute(),
    )


def expected_of(info: TapeInfo) -> ExpectSpec:
    """Return the known truth of a tape: the phases in which an alert on its incidents has to fire, and may fire.

    An imported tape has no scenario; phases with the names of the melting count as that.
    """
    return msgspec.convert(info.scenario, Scenario).expected if info.scenario else MELTING


def _phases(scenario: Scenario, hosts: HostSchedule, start: int) -> Iterator[Phase]:
    """Yield the phases of the evening in order, without those that never began."""
    schedule = scenario.schedule
    end = hosts.talk_end or 0
    within = [
        (PhaseName.OPEN, 0),
        (PhaseName.SCHEDULED_START, hosts.scheduled),
        (PhaseName.MELTING, hosts.melting),
        (PhaseName.FIRST_CLOSED, hosts.closed),
        (PhaseName.SECOND_ROOM, hosts.reopened),
        (PhaseName.TALK, hosts.talk_start),
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
    evening: Evening,
) -> TapeInfo:
    return TapeInfo(
        format=1,
        name=scenario.name,
        scenario=scenario.as_builtins(),
        seed=seed,
        scale=scale,
        events=0,
        people=people,
        start=night.start,
        end=night.end,
        talk_start=night.talk_start,
        phases=night.phases,
        spaces=SPACES if evening.hosts.reopened is not None else SPACES[:1],
        thread=tweets.thread_id,
        announced=night.announced,
        subjects=tweets.subjects,
        sha256="",
        generator=version("joinstorm"),
        capacity=tuple(_capacities(evening.history.capacity, night.start)),
    )


def _capacities(by_second: Sequence[float], start: int) -> Iterator[Capacity]:
    """Yield what the rooms could hold, wherever it changes."""
    known = 0
    for second, capacity in enumerate(map(round, by_second)):
        if capacity != known:
            yield Capacity(start + second * 1000, capacity)
            known = capacity


def _merged(
    log: PresenceLog, demand: Demand, tweets: TweetSource, night: NightOutline
) -> Iterator[tuple[pa.Table, int]]:
    """Yield slices of rows in order of time, each with its end in event time; at a tie presence comes first."""
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
        "topic": _encoded(np.zeros(count, dtype=np.int8), _TOPIC),
        "kind": _encoded(events["kind"], _KIND),
        "person": pa.array(events["person"].astype(np.int64)),
        "space": _encoded(events["room"].astype(np.int16), _SPACE),
        "client": _encoded(demand.client[events["person"]], pa.array(demand.clients, pa.string())),
        "try": pa.array(events["try"].astype(np.int32)),
        "reason": _encoded(events["reason"], _REASON),
        "since_drop_ms": pa.array(events["since_drop"].astype(np.int64), mask=events["since_drop"] == NONE),
    }
    arrays = [columns.get(field.name, pa.nulls(count, field.type)) for field in _COLUMNS]
    return pa.Table.from_arrays(arrays, schema=_COLUMNS)


def _encoded(codes: npt.NDArray[np.signedinteger], values: pa.Array) -> pa.DictionaryArray:
    codes = np.ascontiguousarray(codes)
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes == NONE), values)


def _listeners(scenario: Scenario, scale: float, seed: int) -> int:
    if not 0 < scale <= MAX_SCALE:
        raise UsageError(f"scale {scale:g}: expected more than 0, at most {MAX_SCALE:g}")
    if not 0 <= seed < MOST_SEEDS:
        raise UsageError(f"seed {seed}: expected 0 to {MOST_SEEDS - 1}")
    listeners = max(1, round(scenario.crowd.listeners * scenario.size * scale))
    if listeners > _MOST_LISTENERS:
        raise UsageError(f"scale {scale:g}: {listeners:,} listeners; at most {_MOST_LISTENERS:,} can be simulated")
    return listeners


@contextlib.contextmanager
def _spool(path: Path) -> Iterator[Any]:
    """Yield a nameless file in the tape's folder: the disk must have room for the tape anyway.

    Raises:
        TapeError: The file cannot be created or written.
    """
    try:
        file = tempfile.TemporaryFile(dir=path.absolute().parent)  # noqa: SIM115 - closed below
    except OSError as error:
        raise TapeError(f"{path}: cannot be written: {reason(error)}") from None
    try:
        yield file
    except SpoolError as error:
        raise TapeError(f"{path}: {error}") from None
    finally:
        with contextlib.suppress(OSError):  # what could not be written is still buffered
            file.close()


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
