"""Moments of the night as people write them: a phase, a time, an offset, or a mixture."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from streams.contract.runinfo import Phase
from streams.errors import ScenarioError

FORMS = "a phase (melting), an offset to one (talk+10m, talk-30s), a time (2023-05-24T22:05:00Z), +5m or -5m from here"
_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
_DURATION = r"(?:\d+(?:\.\d+)?(?:ms|s|m|h))+"
_FORM = re.compile(rf"(?P<name>[^+\-\s][^+\s]*?)?(?:(?P<sign>[+-])(?P<offset>{_DURATION}))?")


def duration_ms(text: str) -> int:
    """Return a duration such as ``1h30m``, ``90s`` or ``250ms`` in milliseconds.

    Raises:
        ScenarioError: It is none.
    """
    if not re.fullmatch(_DURATION, text):
        raise ScenarioError(f"{text!r} is no duration; expected forms: 90s, 10m, 1h30m, 250ms")
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    return round(sum(float(number) * _UNITS[unit] for number, unit in parts))


def moment_ms(text: str, phases: Sequence[Phase], start: int, end: int, here: float) -> int:
    """Return the event time (ms) of a moment.

    Args:
        text: One of ``FORMS``.
        phases: The night's phases.
        start: First moment of the night.
        end: Last moment of the night.
        here: Where the replay is.

    Raises:
        ScenarioError: It is no moment, an unknown phase, or outside the night; the text says what is allowed.
    """
    found = _FORM.fullmatch(text.strip())
    if not text.strip() or found is None:
        raise ScenarioError(f"{text!r} is no moment; expected {FORMS}")
    base = here if found["name"] is None else _named(found["name"], phases)
    offset = duration_ms(found["offset"]) if found["offset"] else 0
    moment = round(base + (-offset if found["sign"] == "-" else offset))
    if not start <= moment <= end:
        raise ScenarioError(f"{text!r} is {_iso(moment)}, outside the night: {_iso(start)} to {_iso(end)}")
    return moment


def _named(name: str, phases: Sequence[Phase]) -> float:
    for phase in phases:
        if phase.name == name:
            return phase.start
    if not name[0].isdigit():
        known = ", ".join(phase.name for phase in phases)
        raise ScenarioError(f"unknown phase {name!r}; known: {known}")
    try:
        time = datetime.fromisoformat(name)
    except ValueError:
        raise ScenarioError(f"{name!r} is no moment; expected {FORMS}") from None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000


def _iso(moment: float) -> str:
    """A moment as text, also where it lies beyond what a calendar holds."""
    try:
        time = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=moment)
    except OverflowError:
        return f"{moment:.0f} ms"
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
