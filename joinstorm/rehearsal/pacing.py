"""At which speed each part of a night is rehearsed: real time while the incident lasts; pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from joinstorm.alerts.durations import duration_text
from joinstorm.alerts.nightsamples import NightInfo
from joinstorm.alerts.rulesfile import Rule

Stretch = tuple[int, int]
"""Event times (ms): start and end."""


def stretches(night: NightInfo, decoys: Iterable[str] = ()) -> list[Stretch]:
    """Return the parts of a night that matter: its incidents, or else its decoys, joined where they touch.

    Args:
        night: The night.
        decoys: Phases that look like incidents.
    """
    expected = {phase for phases in night.expect.fire for phase in phases}
    names = expected if any(phase.name in expected for phase in night.phases) else set(decoys)
    found: list[Stretch] = []
    for phase, end in zip(night.phases, night.ends(), strict=True):
        if phase.name in names:
            begin = found.pop()[0] if found and found[-1][1] >= phase.start else phase.start
            found.append((begin, min(end, night.end)))
    return found


def paces(
    night: NightInfo, parts: Sequence[Stretch], lead: int, speed: float, slow: float
) -> tuple[tuple[str, float], ...]:
    """Return the moments at which the speed changes.

    Args:
        night: The night.
        parts: What is played slowly.
        lead: Milliseconds by which it becomes slow earlier.
        speed: Otherwise.
        slow: Meanwhile.
    """
    found: list[tuple[int, float]] = []
    for begin, end in parts:
        early = max(night.start, begin - lead)
        if found and found[-1][0] >= early:
            found.pop()
        else:
            found.append((early, slow))
        found.append((end, speed))
    return tuple((moment_text(at), value) for at, value in found if at < night.end)


def moment_text(at: int) -> str:
    """Return an event time as the text of a moment."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def warnings(rules: Sequence[Rule], parts: Sequence[Stretch], slow: float) -> Iterator[str]:
    """Yield a line for each alert whose wait is longer than every incident at the speed of the rehearsal."""
    longest = max((end - begin for begin, end in parts), default=0)
    for rule in rules:
        waited = rule.hold * slow
        if longest and waited >= longest:
            by_the_clock = f"waits {duration_text(rule.hold)} by the clock"
            of_the_night = f"at speed {slow:g} is {duration_text(waited)} of the night"
            than = f"longer than the incident of {duration_text(longest)}"
            yield f"{rule.name} (line {rule.line}) {by_the_clock}, which {of_the_night}: {than}"
