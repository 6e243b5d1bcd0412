"""Analyses PromQL expressions, after filling in Grafana's variables: which metrics, labels and ranges they read."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import promql_parser as promql

SAMPLE: Final = {"run": "run-1", "engine": "faust", "space": "first|second", "__rate_interval": "1m"}
"""Values that turn every query of the boards into valid PromQL."""
_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")


class PromqlError(ValueError):
    """An expression is not PromQL."""


@dataclass(frozen=True)
class Selector:
    """One selector of an expression.

    Args:
        metric: The metric's name.
        labels: Labels named between the braces.
        ranged: Whether it selects a time range.
    """

    metric: str
    labels: frozenset[str]
    ranged: bool = False


@dataclass(frozen=True)
class Reading:
    """What an expression reads.

    Args:
        selectors: In order.
        labels: Labels outside selectors: in ``by``, ``on``, ``group_left`` and the like.
        rated: Metrics inside ``rate``, ``irate`` and ``increase``.
    """

    selectors: tuple[Selector, ...]
    labels: frozenset[str]
    rated: frozenset[str]


def variables(text: str) -> set[str]:
    """Return the names of Grafana's variables in a text."""
    return {braced or plain for braced, plain in _VARIABLE.findall(text)}


def fill(text: str, values: Mapping[str, str] = SAMPLE) -> str:
    """Return the text with Grafana's variables replaced; unknown variables stay."""
    return _VARIABLE.sub(lambda found: values.get(found[1] or found[2], found[0]), text)


def read(expression: str) -> Reading:
    """Parse an expression without variables.

    Raises:
        PromqlError: It is not PromQL; the text says why.
    """
    try:
        tree = promql.parse(expression)
    except ValueError as error:
        raise PromqlError(f"{error} in {expression!r}") from None
    nodes = list(_nodes(tree))
    rated = (node.args[0] for node in nodes if isinstance(node, promql.Call) and node.func.name in _RATES)
    return Reading(
        selectors=tuple(_selector(node) for node in nodes if isinstance(node, _SELECTORS)),
        labels=frozenset(label for node in nodes for label in _grouping(node)),
        rated=frozenset(_selector(node).metric for node in rated if isinstance(node, promql.MatrixSelector)),
    )


_SELECTORS: Final = (promql.VectorSelector, promql.MatrixSelector)
_RATES: Final = ("rate", "irate", "increase")


def _nodes(tree: Any) -> Iterator[Any]:
    """Yield every node, parents first."""
    found: list[Any] = []
    promql.walk(tree, pre_visit=found.append)
    yield from found


def _selector(node: Any) -> Selector:
    ranged = isinstance(node, promql.MatrixSelector)
    selector = node.vector_selector if ranged else node
    return Selector(selector.name or "", frozenset(one.name for one in selector.matchers.matchers), ranged)


def _grouping(node: Any) -> Iterator[str]:
    if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
        yield from node.modifier.labels
    if isinstance(node, promql.BinaryExpr) and node.modifier is not None:
        if node.modifier.matching is not None:
            yield from node.modifier.matching.labels
        yield from node.modifier.group_labels or ()
