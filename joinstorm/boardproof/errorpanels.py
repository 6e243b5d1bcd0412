"""The expected answers of the panels about errors: the oracle's rows compared with those of the wrong engine."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache

from joinstorm.boardproof.counted import Counted
from joinstorm.boardproof.momentvalues import ProofMoment, Shown, merged, series_by, single
from joinstorm.prometheus.server import Vector
from streams.contract.breakdowns import BREAKDOWNS
from streams.contract.durations import DURATIONS
from streams.contract.names import TRUTH
from streams.contract.results import AUDIENCE_COUNTS, HASHTAG, REACTION_COUNTS


def audience(now: ProofMoment) -> Vector:
    """Return the error of the live audience, as of each engine's watermark."""
    return merged(
        single(
            shown.counted.audience_at(space, shown.at) - truth.audience_at(space, shown.at), engine=name, space=space
        )
        for name, shown, truth in _pairs(now)
        for space in now.info.spaces
    )


def greatest(now: ProofMoment) -> Vector:
    """Return the largest error of every kind of value in any window so far."""
    return merged(
        series_by(
            "value",
            {**_counts(shown.counted, truth, shown.at, _most), **_running(shown.counted, truth, shown.at)},
            engine=name,
        )
        for name, shown, truth in _pairs(now)
    )


def totals(now: ProofMoment) -> Vector:
    """Return the sum of the errors of every count so far."""
    return merged(
        series_by("value", _counts(shown.counted, truth, shown.at, sum), engine=name)
        for name, shown, truth in _pairs(now)
    )


def _pairs(now: ProofMoment) -> Iterator[tuple[str, Shown, Counted]]:
    for name in now.chosen:
        if name != TRUTH:
            yield name, now.engines[name], now.truth.counted


def _most(values: Iterable[int]) -> int:
    return max(values, default=0)


@cache
def _counts(shown: Counted, truth: Counted, at: int, how: Callable[[list[int]], int]) -> dict[str, float | None]:
    last = at - shown.info.window_ms
    found: dict[str, list[int]] = {count: [0] for count in (*AUDIENCE_COUNTS, *REACTION_COUNTS)}
    for counted, true in ((shown.audience, truth.audience), (shown.reaction, truth.reaction)):
        for key in counted.keys() | true.keys():
            have, want = counted.get(key, {}), true.get(key, {})
            if key[0] <= last and have != want:
                for count in (have.keys() | want.keys()) & found.keys():
                    found[count].append(abs(have.get(count, 0) - want.get(count, 0)))
    tags = shown.counts_with(HASHTAG)
    found["hashtags"] = [abs(shown.tweets(*tag, at) - truth.tweets(*tag, at)) for tag in tags]
    for kind, families in (("durations", DURATIONS), ("breakdowns", BREAKDOWNS)):
        mine = shown.families(families)
        all_of_them = {*mine, *truth.families(families)} if mine else ()
        found[kind] = [abs(shown.presence(*one, at) - truth.presence(*one, at)) for one in all_of_them]
    return {count: how(gaps) for count, gaps in found.items()}


@cache
def _running(shown: Counted, truth: Counted, at: int) -> dict[str, float | None]:
    """Return the largest errors of the running values at the end of any window."""
    ends, spaces = shown.ends(at), shown.info.spaces
    return {
        "audience": _most(
            abs(shown.audience_at(space, end) - truth.audience_at(space, end)) for space in spaces for end in ends
        ),
        "waiting": _most(abs(shown.waiting_at(end) - truth.waiting_at(end)) for end in ends),
    }
