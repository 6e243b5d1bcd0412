"""Durations as Prometheus writes them: ``1h30m``, ``90s``, ``250ms``."""

import re
from typing import Final

_UNITS: Final = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
_WHOLE: Final = re.compile(r"(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+s)?(?:\d+ms)?")
_PART: Final = re.compile(r"(\d+)(ms|[ywdhms])")


def duration_ms(text: str) -> int:
    """Return a duration in milliseconds; ``0`` needs no unit.

    Raises:
        ValueError: It is none; the text says how one looks.
    """
    if text == "0":
        return 0
    if not text or not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r}: expected a duration such as 30s, 5m or 1h30m")
    return sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def duration_text(ms: float) -> str:
    """Return a duration for people, to the second: ``3m03s``; ``0s`` for none."""
    seconds = round(ms / 1000)
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"
