"""Delta debugging: the fewest items that still show a failure; no I/O."""

import itertools
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def minimal(items: Sequence[T], first_failing: Callable[[Sequence[Sequence[T]]], int | None]) -> list[T]:
    """Return a part of failing items, in order, that no longer fails when any one of them is removed.

    Args:
        items: Items that fail together.
        first_failing: Tries candidates, several at once if it can; returns the index of one that fails, None if none
            does.
    """
    left, parts = list(items), 2
    while left:
        pieces = _pieces(left, parts)
        rests = [[item for other in pieces[:n] + pieces[n + 1 :] for item in other] for n in range(len(pieces))]
        candidates = rests if parts == 2 else [*pieces, *rests]  # noqa: PLR2004 - of two pieces, each is a rest
        found = first_failing(candidates)
        if found is not None:
            left = list(candidates[found])
            parts = max(2, parts - 1) if found >= len(candidates) - len(rests) else 2
        elif parts >= len(left):
            break
        else:
            parts = min(len(left), 2 * parts)
    return left


def _pieces(items: list[T], parts: int) -> list[list[T]]:
    """Cut a list into so many pieces of nearly equal length, none of them empty."""
    parts = min(parts, len(items))
    cuts = [len(items) * n // parts for n in range(parts + 1)]
    return [items[begin:end] for begin, end in itertools.pairwise(cuts)]
