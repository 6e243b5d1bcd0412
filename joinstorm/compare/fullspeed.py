"""What is measured of one engine at full speed: throughput, and recovery after SIGKILL.

Everything is seen from outside, through ``results.progress`` and the operating system, in the same way for every
engine. Engines run one after the other: two at once would share the machine's cores, and nobody's figures would mean
anything.
"""

from typing import Final

import msgspec

from joinstorm.compare.rig import Rig
from joinstorm.compare.usage import Usage

KILL_AT: Final = 0.2
"""Share of the events counted when an engine is killed."""
COARSE: Final = 0.5
"""When an engine's first word comes after so much of its work, its start is part of the measurement."""


class Throughput(msgspec.Struct, frozen=True, kw_only=True):
    """A night that lies ready in the topics, counted as fast as it goes."""

    seconds: float
    """From the start of the worker to its last word."""
    start_seconds: float
    """From the start of the worker to its first word."""
    events_per_second: float
    """Between its first and its last word."""
    events_per_cpu_second: float
    """The same by processor time, of all processes and threads of the engine."""
    cpu_seconds: float
    """All of it, start included."""
    peak_mib: float
    whole: bool
    """Whether the start is part of the rates, as the first word came too late to leave it out."""


def throughput(rig: Rig, seconds: float) -> Throughput:
    """Let an engine count a run whose topics are full.

    Raises:
        EngineError: It failed or was not done in time.
    """
    begin = rig.start()
    with Usage(*(part.pid for part in rig.parts)) as usage:
        end = rig.wait("the end of the run", lambda one: one.ended, seconds)
    first = next(one for one in rig.log.seen(rig.name) if one.events)
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
    )


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """A worker killed with SIGKILL in the middle and started again at once."""

    seconds: float | None
    """Until it has counted an event it had not counted before; None when it was done before it could be killed."""
    killed_at: int
    """Events it had counted by then."""
    ended: bool
    """Whether it came to its end afterwards, in the time it was given."""


def recovery(rig: Rig, seconds: float, finish_seconds: float) -> Recovery:
    """Kill an engine in the middle of a run whose topics are full, and see how long it takes to get on.

    Raises:
        EngineError: It failed or did not get on in time.
    """
    rig.start()
    share = KILL_AT * rig.info.events
    before = rig.wait("the first part of the run", lambda one: one.events >= share, seconds)
    if before.ended:
        return Recovery(seconds=None, killed_at=before.events, ended=True)
    killed = rig.kill()
    counted = max(one.events for one in rig.log.seen(rig.name))
    back = rig.wait("new events after SIGKILL", lambda one: one.events > counted or one.ended, seconds)
    ended = rig.log.wait(rig.name, lambda one: one.ended, finish_seconds, lambda: None) is not None
    return Recovery(seconds=round(back.wall - killed, 2), killed_at=counted, ended=ended)
