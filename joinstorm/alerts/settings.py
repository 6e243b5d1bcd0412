"""What can be varied about an alert: a threshold, a window, its ``for``; pure edits of its text."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from joinstorm.alerts.durations import duration_ms
from joinstorm.alerts.rulesfile import Rule

_SKIPPED: Final = r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|\{[^}]*\}'
_THRESHOLD: Final = re.compile(
    rf"{_SKIPPED}|(?P<head>(?:>=|<=|==|!=|>|<)\s*(?:bool\b\s*)?[(\s]*)(?P<value>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    r"(?![\w.])"
)
_WINDOW: Final = re.compile(rf"{_SKIPPED}|(?P<head>\[\s*)(?P<value>(?:\d+(?:ms|[smhdwy]))+)")
_PATTERNS: Final = {"threshold": _THRESHOLD, "window": _WINDOW}
_NAME: Final = re.compile(r"(threshold|window)(?::([1-9]\d*))?|for")
KNOWN: Final = "threshold, threshold:N, window, window:N or for"


@dataclass(frozen=True)
class Dial:
    """One thing that is varied.

    Args:
        name: ``threshold``, ``window`` or ``for``; with ``:N`` the N-th one of the expression alone.
        values: The settings to try, as they stand in a rule.
    """

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Variant:
    """An alert with settings of its own; ``chosen`` has one for each dial, in order."""

    rule: Rule
    chosen: tuple[str, ...]


def parse_dials(text: str) -> list[Dial]:
    """Read ``threshold=0.01,0.05,window=1m,5m,for=0s,2m``.

    Raises:
        ValueError: It cannot be read; the text says how it looks.
    """
    found: list[tuple[str, list[str]]] = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, equals, value = part.partition("=")
        if equals:
            found.append((name.strip(), [value.strip()]))
        elif found:
            found[-1][1].append(part)
        else:
            raise ValueError(f"{part!r}: expected NAME=VALUE,VALUE…, NAME one of {KNOWN}")
    for name, values in found:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r}: expected {KNOWN}")
        for value in values:
            _check(name, value)
    if not found or len({name for name, _ in found}) < len(found):
        raise ValueError(f"{text!r}: expected each of {KNOWN} once at most, and one at least")
    return [Dial(name, tuple(dict.fromkeys(values))) for name, values in found]


def _check(name: str, value: str) -> None:
    try:
        if name.startswith("threshold"):
            float(value)
            return
        length = duration_ms(value)
    except ValueError as error:
        raise ValueError(f"{name}={value}: {error}") from None
    if not length and name != "for":
        raise ValueError(f"{name}={value}: expected more than nothing")


def shipped_settings(rule: Rule, dials: Sequence[Dial]) -> tuple[str, ...]:
    """Return how an alert is set as it stands.

    Raises:
        ValueError: A dial has nothing to turn, or several different things; the text says what there is.
    """
    return tuple(_current(rule, dial.name) for dial in dials)


def _current(rule: Rule, name: str) -> str:
    if name == "for":
        return f"{rule.hold}ms" if rule.hold % 1000 else f"{rule.hold // 1000}s"
    kind, _, place = name.partition(":")
    there = [found["value"] for found in _PATTERNS[kind].finditer(rule.expr) if found["value"]]
    if place and int(place) <= len(there):
        return there[int(place) - 1]
    if not place and len(set(there)) == 1:
        return there[0]
    numbered = ", ".join(f"{kind}:{number} is {value}" for number, value in enumerate(there, start=1))
    raise ValueError(f"alert {rule.name}: cannot vary {name}: {numbered or f'its expression has no {kind}'}")


def variants(rule: Rule, dials: Sequence[Dial], shipped: Sequence[str]) -> Iterator[Variant]:
    """Yield the alert in every combination of settings, and last as it stands where that is none of them."""
    chosen = list(itertools.product(*(dial.values for dial in dials)))
    same = [all(map(_same, one, shipped)) for one in chosen]
    for one in chosen if any(same) else [*chosen, tuple(shipped)]:
        yield Variant(turned(rule, dict(zip((dial.name for dial in dials), one, strict=True))), one)


def is_shipped(variant: Variant, shipped: Sequence[str]) -> bool:
    """Say whether a variant is the alert as it stands."""
    return all(map(_same, variant.chosen, shipped))


def _same(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return duration_ms(one) == duration_ms(other)


def turned(rule: Rule, settings: Mapping[str, str]) -> Rule:
    """Return an alert with other settings."""
    for name, value in settings.items():
        if name == "for":
            rule = replace(rule, hold=duration_ms(value))
        else:
            rule = replace(rule, expr=_edited(rule.expr, name, value))
    return rule


def _edited(expr: str, name: str, value: str) -> str:
    kind, _, place = name.partition(":")
    counter = itertools.count(1)

    def edit(found: re.Match[str]) -> str:
        if not found["value"]:
            return found[0]
        return found["head"] + value if not place or next(counter) == int(place) else found[0]

    return _PATTERNS[kind].sub(edit, expr)
