"""Every small way in which a query or a rule could be wrong: the alterations that the proof has to find."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from dashboards import promql
from streams.metrics.definitions import Metric

_NAME: Final = re.compile(r"(?<![\w:$\"|])(?:joinstorm_\w+|engine:[\w:]+)")
_BRACES: Final = re.compile(r"\{([^{}]*)\}")
_MATCHER: Final = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
_NUMBER: Final = re.compile(r"(?<![\w.\"$])\d+(?:\.\d+)?(?![\w.\"])")
_RANGE: Final = re.compile(r"\[([^\]]+)\]")
_GROUPING: Final = re.compile(r"\b(by|on|group_left) \(([^)]*)\)")
_SWAPS: Final = {
    r"\bsum\b": "max",
    r"\bmax\b": "min",
    r"\brate\b": "increase",
    r"\bsort_desc\b": "sort",
    r"\bclamp_min\b": "clamp_max",
    r"\band\b": "unless",
    r"\btime\(\)": "0",
    r" \+ ": " - ",
    r" - ": " + ",
    r" \* ": " / ",
    r" / ": " * ",
    r" == ": " != ",
    r" >= ": " > ",
    r" > ": " < ",
    r" < ": " > ",
}
_WHOLE: Final = {
    "emptied": "",
    "a hundredth more": "({0}) * 1.01",
    "one more": "({0}) + 1",
    "the other sign": "-({0})",
    "one series too few": "topk(scalar(count({0}) - 1), {0})",
}
"""What can be done to an expression as a whole; {0} is the expression."""
_TURNED: Final = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}


@dataclass(frozen=True)
class Mutant:
    """One alteration of an expression."""

    what: str
    """What was done, for the report."""
    expr: str


def mutants(expr: str, siblings: Mapping[str, str]) -> list[Mutant]:
    """Return every alteration of an expression, each in one place; none equals the original or another one.

    But for the emptied one they are all PromQL: what Prometheus refuses is found without looking at an answer.

    Args:
        expr: PromQL, with Grafana's variables in it.
        siblings: For a metric's name, another one that could be mistaken for it.
    """
    found: dict[str, str] = {}
    for what, text in _all(expr, siblings):
        if text != expr and (not text or _is_promql(text)):
            found.setdefault(text, what)
    return [Mutant(what, text) for text, what in found.items()]


def _is_promql(text: str) -> bool:
    try:
        promql.read(promql.fill(text))
    except promql.PromqlError:
        return False
    return True


def siblings(metrics: Iterable[Metric], recorded: Iterable[str] = ()) -> dict[str, str]:
    """Return for each metric another one with the same labels, or a name that nobody serves."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for metric in metrics:
        groups.setdefault(metric.labels, []).append(metric.name)
    groups[("recorded",)] = list(recorded)
    return {
        name: names[(place + 1) % len(names)] if len(names) > 1 else f"{name}_of_old"
        for names in groups.values()
        for place, name in enumerate(names)
    }


def _all(expr: str, others: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield from ((what, form.format(expr)) for what, form in _WHOLE.items())
    for found, text in _each(_NAME, expr, lambda name: others.get(name[0], f"{name[0]}_of_old")):
        yield f"{found} mistaken for another metric", text
    yield from _selectors(expr)
    for found, text in _each(_NUMBER, expr, lambda number: f"{float(number[0]) * 2 + 1:g}"):
        yield f"{found} doubled and one more", text
    for found, text in _each(_NUMBER, expr, lambda number: f"{float(number[0]) * 0.9:g}"):
        yield f"{found} a tenth less", text
    for found, text in _each(_RANGE, expr, lambda _: "[10m]"):
        yield f"the range {found} made ten minutes", text
    for found, text in _each(_GROUPING, expr, lambda _: ""):
        yield f"{found} left out", text
    for pattern, other in _SWAPS.items():
        for found, text in _each(re.compile(pattern), expr, _always(other)):
            yield f"{found.strip()} turned into {other.strip()}", text


def _selectors(expr: str) -> Iterator[tuple[str, str]]:
    """Yield alterations of the matchers between braces: left out, turned around, asking for another value."""
    for braces in _BRACES.finditer(expr):
        matchers = list(_MATCHER.finditer(braces[1]))
        for place, matcher in enumerate(matchers):
            name, sign, value = matcher.groups()
            for what, text in (
                (f"{matcher[0]} left out", None),
                (f"{matcher[0]} turned around", f'{name}{_TURNED[sign]}"{value}"'),
                (f"{matcher[0]} asking for another value", f'{name}{sign}"{value}x"'),
            ):
                parts = [one[0] if at != place else text for at, one in enumerate(matchers)]
                inside = ",".join(part for part in parts if part is not None)
                yield what, f"{expr[: braces.start()]}{{{inside}}}{expr[braces.end() :]}"


def _each(pattern: re.Pattern[str], expr: str, other: Callable[[re.Match[str]], str]) -> Iterator[tuple[str, str]]:
    """Yield the expression with each place that matches changed, one at a time."""
    for found in pattern.finditer(expr):
        yield found[0], f"{expr[: found.start()]}{other(found)}{expr[found.end() :]}"


def _always(text: str) -> Callable[[re.Match[str]], str]:
    return lambda _: text
