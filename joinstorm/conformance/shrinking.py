"""Delta debugging: the fewest items that still show a failure; no I/O."""

import itertools
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, TypeVar

T = TypeVar("T")
FirstFailing: TypeAlias = Callable[[Sequence[Sequence[T]]], int | None]
FEW: Final = 8
"""So many items are removed one by one, where neither half of them fails."""


def minimal(items: Sequence[T], first_failing: FirstFailing[T]) -> list[T]:
    """Return a part of failing items, in order, that no longer fails when any one of them is removed.

    Args:
        items: Items that fail together.
        first_failing: Tries candidates, several at once if it can; returns the index of one that fails, None if none
            does.
    """
    left, parts = list(items), 2
    while left:
        if parts > 2 and len(left) <= FEW and parts < len(left):  # noqa: PLR2004 - both halves were tried
            needed = _needed(left, first_failing)
            if first_failing([needed]) is not None:
                left, parts = needed, len(needed)
                continue
            parts = len(left)
        rests = _rests(left, parts)
        found = first_failing(rests)
        if found is not None:
            left = rests[found]
            parts = max(2, parts - 1)
        elif parts >= len(left):
            break
        else:
            parts = min(len(left), 2 * parts)
    return left


def _needed(items: list[T], first_failing: FirstFailing[T]) -> list[T]:
    """Return the items without which the others do not fail: often they fail by themselves."""
    rests = _rests(items, len(items))
    removable = set()
    begin = 0
    while begin < len(rests):
        found = first_failing(rests[begin:])
        if found is None:
            break
        removable.add(begin + found)
        begin += found + 1
    return [item for place, item in enumerate(items) if place not in removable]


def _rests(items: list[T], parts: int) -> list[list[T]]:
    """Return what is left without each of so many pieces.

    Pieces alone need not be tried: each is part of a larger one, which did not fail either.
    """
    pieces = _pieces(items, parts)
    return [[item for other in pieces[:n] + pieces[n + 1 :] for item in other] for n in range(len(pieces))]


def _pieces(items: list[T], parts: int) -> list[list[T]]:
    """Cut a list into so many pieces of nearly equal length, none of them empty."""
    parts = min(parts, len(items))
    cuts = [len(items) * n // parts for n in range(parts + 1)]
    return [items[begin:end] for begin, end in itertools.pairwise(cuts)]
