"""Mutants of queries and rules: every small way to get them wrong, each of which the proof must catch."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from dashboards import promql
from streams.metrics.metric import Metric

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
    r"\bmin\b": "max",
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
    "one percent more": "({0}) * 1.01",
    "one more": "({0}) + 1",
    "the sign changed": "-({0})",
    "one series too few": "topk(scalar(count({0}) - 1), {0})",
}
"""Mutations of an expression as a whole; {0} is the expression."""
_NEGATED: Final = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}


@dataclass(frozen=True)
class Mutant:
    """One mutant of an expression."""

    what: str
    """The change, for the report."""
    expr: str


def mutants(expr: str, substitutes: Mapping[str, str]) -> list[Mutant]:
    """Return every mutant of an expression, changed in one place each; none equals the original or another mutant.

    All but the empty one are valid PromQL: a mutant that Prometheus rejects would be caught without comparing answers.

    Args:
        expr: PromQL, with Grafana's variables in it.
        substitutes: For each metric name, another one that could be mistaken for it.
    """
    found: dict[str, str] = {}
    for what, text in _all(expr, substitutes):
        if text != expr and (not text or _is_promql(text)):
            found.setdefault(text, what)
    return [Mutant(what, text) for text, what in found.items()]


def _is_promql(text: str) -> bool:
    try:
        promql.read(promql.fill(text))
    except promql.PromqlError:
        return False
    return True


def substitutes(metrics: Iterable[Metric], recorded: Iterable[str] = ()) -> dict[str, str]:
    """Return for each metric another one with the same labels, or a name that is not served."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for metric in metrics:
        groups.setdefault(metric.labels, []).append(metric.name)
    groups[("recorded",)] = list(recorded)
    return {
        name: names[(index + 1) % len(names)] if len(names) > 1 else f"{name}_unknown"
        for names in groups.values()
        for index, name in enumerate(names)
    }


def _all(expr: str, others: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield from ((what, form.format(expr)) for what, form in _WHOLE.items())
    for found, text in _each(_NAME, expr, lambda name: others.get(name[0], f"{name[0]}_unknown")):
        yield f"{found} replaced by another metric", text
    yield from _selectors(expr)
    for found, text in _each(_NUMBER, expr, lambda number: f"{float(number[0]) * 2 + 1:g}"):
        yield f"{found} doubled, plus one", text
    for found, text in _each(_NUMBER, expr, lambda number: f"{float(number[0]) * 0.9:g}"):
        yield f"{found} reduced by a tenth", text
    for found, text in _each(_RANGE, expr, lambda _: "[10m]"):
        yield f"the range {found} changed to ten minutes", text
    for found, text in _each(_GROUPING, expr, lambda _: ""):
        yield f"{found} removed", text
    for pattern, other in _SWAPS.items():
        for found, text in _each(re.compile(pattern), expr, _always(other)):
            yield f"{found.strip()} changed to {other.strip()}", text


def _selectors(expr: str) -> Iterator[tuple[str, str]]:
    """Yield mutants of the matchers between braces: removed, negated, with another value."""
    for braces in _BRACES.finditer(expr):
        matchers = list(_MATCHER.finditer(braces[1]))
        for place, matcher in enumerate(matchers):
            name, sign, value = matcher.groups()
            for what, text in (
                (f"{matcher[0]} removed", None),
                (f"{matcher[0]} negated", f'{name}{_NEGATED[sign]}"{value}"'),
                (f"{matcher[0]} with another value", f'{name}{sign}"{value}x"'),
            ):
                parts = [one[0] if at != place else text for at, one in enumerate(matchers)]
                inside = ",".join(part for part in parts if part is not None)
                yield what, f"{expr[: braces.start()]}{{{inside}}}{expr[braces.end() :]}"


def _each(pattern: re.Pattern[str], expr: str, other: Callable[[re.Match[str]], str]) -> Iterator[tuple[str, str]]:
    """Yield the expression with each match replaced, one at a time."""
    for found in pattern.finditer(expr):
        yield found[0], f"{expr[: found.start()]}{other(found)}{expr[found.end() :]}"


def _always(text: str) -> Callable[[re.Match[str]], str]:
    return lambda _: text
