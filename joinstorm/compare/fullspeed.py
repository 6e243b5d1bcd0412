"""Measurements at full speed: throughput, and recovery after SIGKILL.

Everything is measured from outside, through ``results.progress`` and the operating system, in the same way for every
engine. Engines run one after the other: two at once would share the machine's cores and spoil each other's figures.
"""

from typing import Final

import msgspec

from joinstorm.compare.enginerun import EngineRun
from joinstorm.compare.usage import Usage

KILL_AT: Final = 0.2
"""Share of the events counted when an engine is killed."""
COARSE: Final = 0.5
"""An engine whose first progress comes later than this share of the events has its start-up measured as well."""


SHORT: Final = 2.0
"""Rates of a shorter stretch, in seconds, say little."""


class Throughput(msgspec.Struct, frozen=True, kw_only=True):
    """A night already in the topics, counted at full speed."""

    seconds: float
    """From the start of the worker to its last progress record."""
    start_seconds: float
    """From the start of the worker to its first progress record with events."""
    events_per_second: float
    """Between its first and its last progress record."""
    events_per_cpu_second: float
    """The same per second of processor time of all the engine's processes and threads."""
    cpu_seconds: float
    """Total, start-up included."""
    peak_mib: float
    whole: bool
    """Whether the rates include start-up, because the first progress came too late to leave it out."""
    rated_seconds: float
    """How long the stretch was that the rates are of."""


def throughput(run: EngineRun, seconds: float) -> Throughput:
    """Measure an engine that counts a run whose topics are full.

    Raises:
        EngineError: The engine failed, or was not done in time.
    """
    begin = run.start()
    with Usage(*(part.pid for part in run.parts)) as usage:
        end = run.wait("the end of the run", lambda sample: sample.ended, seconds)
    first = next(sample for sample in run.log.samples(run.name) if sample.events)
    whole = first.events > COARSE * end.events
    since, counted = (begin, end.events) if whole else (first.wall, end.events - first.events)
    cpu = usage.cpu_at(end.wall) - (0.0 if whole else usage.cpu_at(since))
    return Throughput(
        seconds=round(end.wall - begin, 2),
        start_seconds=round(first.wall - begin, 2),
        events_per_second=round(counted / max(1e-3, end.wall - since)),
        events_per_cpu_second=round(counted / max(1e-3, cpu)),
        cpu_seconds=round(usage.cpu_at(end.wall), 2),
        peak_mib=round(usage.peak_bytes / (1 << 20), 1),
        whole=whole,
        rated_seconds=round(end.wall - since, 2),
    )


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """A worker killed with SIGKILL halfway and restarted at once."""

    seconds: float | None
    """Until a new event is counted; None when the engine was done before it could be killed."""
    killed_at: int
    """Events counted before the kill."""
    ended: bool
    """Whether the engine ended afterwards, within the time allowed."""


def recovery(run: EngineRun, seconds: float, finish_seconds: float) -> Recovery:
    """Kill an engine halfway through a run whose topics are full, and measure how long it takes to count again.

    Raises:
        EngineError: The engine failed, or did not recover in time.
    """
    run.start()
    share = KILL_AT * run.info.events
    before = run.wait("the first part of the run", lambda sample: sample.events >= share, seconds)
    if before.ended:
        return Recovery(seconds=None, killed_at=before.events, ended=True)
    killed = run.kill()
    counted = max(sample.events for sample in run.log.samples(run.name))
    back = run.wait("new events after SIGKILL", lambda sample: sample.events > counted or sample.ended, seconds)
    ended = run.log.wait(run.name, lambda sample: sample.ended, finish_seconds, lambda: None) is not None
    return Recovery(seconds=round(back.wall - killed, 2), killed_at=counted, ended=ended)
