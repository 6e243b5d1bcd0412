"""Moments of the night as a user writes them: a phase, a time, an offset, or a phase with an offset."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from streams.contract.runinfo import Phase
from streams.errors import UsageError
from streams.suggest import unknown

FORMS = (
    "a phase (melting), a phase with an offset (talk+10m, talk-30s), a time (2023-05-24T22:05:00Z), "
    "or an offset from here (+5m, -5m)"
)
_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 24 * 3_600_000}
_LONGEST_MS = 366 * _UNITS["d"]
_PART = rf"(\d+(?:\.\d+)?)({'|'.join(_UNITS)})"
_DURATION = rf"(?:\d+(?:\.\d+)?(?:{'|'.join(_UNITS)}))+"
_MOMENT = re.compile(rf"(?P<name>[^+\-\s][^+\s]*?)?(?:(?P<sign>[+-])(?P<offset>{_DURATION}))?")


def duration_ms(text: str) -> int:
    """Return a duration such as ``2d``, ``1h30m``, ``90s`` or ``250ms`` in milliseconds.

    Raises:
        UsageError: ``text`` is not a duration, or longer than a year.
    """
    if not re.fullmatch(_DURATION, text):
        raise UsageError(f"{text!r} is not a duration; expected forms: 90s, 10m, 1h30m, 2d, 250ms")
    parts = re.findall(_PART, text)
    milliseconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if milliseconds > _LONGEST_MS:
        raise UsageError(f"{text!r} is too long; expected at most a year")
    return round(milliseconds)


def moment_ms(text: str, phases: Sequence[Phase], start: int, end: int, here: float) -> int:
    """Return the event time (ms) of a moment.

    Args:
        text: One of ``FORMS``.
        phases: The night's phases.
        start: First moment of the night.
        end: Last moment of the night.
        here: The event time that offsets without a phase count from.

    Raises:
        UsageError: ``text`` is not a moment, names an unknown phase, or lies outside the night.
    """
    match = _MOMENT.fullmatch(text.strip())
    if not text.strip() or match is None:
        raise UsageError(f"{text!r} is not a moment; expected {FORMS}")
    base = here if match["name"] is None else _named(match["name"], phases)
    offset = duration_ms(match["offset"]) if match["offset"] else 0
    moment = round(base + (-offset if match["sign"] == "-" else offset))
    if not start <= moment <= end:
        raise UsageError(f"{text!r} is {_iso(moment)}, outside the night: {_iso(start)} to {_iso(end)}")
    return moment


def _named(name: str, phases: Sequence[Phase]) -> float:
    for phase in phases:
        if phase.name == name:
            return phase.start
    if not name[0].isdigit():
        raise UsageError(unknown("phase", name, (phase.name for phase in phases)))
    try:
        time = datetime.fromisoformat(name)
    except ValueError:
        raise UsageError(f"{name!r} is not a moment; expected {FORMS}") from None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000


def _iso(moment: float) -> str:
    """Return a moment as text, also beyond the range of the calendar."""
    try:
        time = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=moment)
    except OverflowError:
        return f"{moment:.0f} ms"
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
