"""The expected answers of *The launch*, from the oracle's counts."""

import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Final

from joinstorm.boardproof import causepanels
from joinstorm.boardproof.counted import Counted
from joinstorm.boardproof.effectvalues import effect_of
from joinstorm.boardproof.momentvalues import Expected, ProofMoment, Shown, merged, minute_before, series_by, single
from joinstorm.prometheus.server import Vector
from streams.contract.durations import bin_end
from streams.contract.results import STANCES
from streams.metrics.labels import DURATION_BOUNDS_MS, PRESENCE_KINDS, QUANTILES, TWEET_KINDS

SCHEDULED: Final = "scheduled_start"
_ENOUGH: Final = 30
"""Events of a minute with which its ratio counts."""
_SURGE: Final = 3.0
_OF_THE_EVENING: Final = ("LaunchMelting", "JoinSuccessLow", "AudienceCollapse", "WaitingRoomGrowing")
ALERTS: Final = "ALERTS"
"""The series Prometheus writes of its alerts."""


def expected() -> dict[tuple[str, str], Expected]:
    """Return the expected answer of each query of the board, by panel and letter."""
    return {
        ("Now", "A"): run,
        ("Now", "B"): phase,
        ("Now", "C"): lambda now: single(now.at),
        ("Phases", "A"): phase,
        ("Alerts", "A"): _alert_states,
        ("Talk delayed by", "A"): _late,
        ("Now", "D"): lambda now: single(sum(_audience(now.engine, space) for space in now.spaces)),
        ("Now", "E"): lambda now: single(now.engine.counted.waiting_at(now.engine.at), engine=now.chosen[0]),
        ("Now", "F"): lambda now: single(max(_peak(now, space)[0] for space in now.info.spaces)),
        ("Now", "G"): lambda now: single(_most_waiting(now.engine), engine=now.chosen[0]),
        ("Share in the rooms", "A"): lambda now: _share_of_crowd(now, _inside(now.engine)),
        ("Share waiting outside", "A"): lambda now: _share_of_crowd(now, now.engine.counted.waiting_at(now.engine.at)),
        ("Drop rate now", "A"): lambda now: _worst(now, max, _drop_ratio),
        ("Join success now", "A"): lambda now: _worst(now, min, _success),
        ("Waited 20 minutes", "A"): lambda now: single(_presence(now.engine, "*", "waited_20m"), engine=now.chosen[0]),
        ("Peak", "A"): lambda now: _by_space(now, {space: _peak(now, space)[0] for space in now.spaces}),
        ("Peak at", "A"): lambda now: _by_space(now, {space: _peak(now, space)[1] for space in now.spaces}),
        ("Distinct listeners", "A"): _ever,
        ("Distinct listeners by room", "A"): lambda now: _by_space(
            now, {space: _presence(now.engine, space, "first_joins") for space in now.spaces}
        ),
        ("Joins counted", "A"): lambda now: single(sum(_presence(now.engine, space, "joins") for space in now.spaces)),
        ("Live audience", "A"): lambda now: _by_space(
            now, {space: _audience(now.engine, space) for space in now.spaces}
        ),
        ("Live audience", "B"): lambda now: series_by(
            "space", {space: _audience(now.truth, space) for space in now.spaces}, engine="truth"
        ),
        ("Live audience", "C"): _capacity,
        **causepanels.expected(),
        ("People waiting", "A"): lambda now: single(now.engine.counted.waiting_at(now.engine.at), engine=now.chosen[0]),
        ("People waiting", "B"): lambda now: single(now.truth.counted.waiting_at(now.truth.at), engine="truth"),
        ("Joins and drops per minute", "A"): lambda now: _minute(now, "join", "drop", "leave"),
        ("Attempts per minute", "A"): lambda now: _minute(now, "attempt", "arrival", "fail", "rejoin", "give_up"),
        ("Drop rate", "A"): lambda now: _by_space(now, {space: _drop_ratio(now.engine, space) for space in now.spaces}),
        ("Join success", "A"): lambda now: _by_space(now, {space: _success(now.engine, space) for space in now.spaces}),
        ("Time to join (95 %)", "A"): lambda now: _slowest(now, "time_to_join:", ("*",)),
        ("Time to rejoin (95 %)", "A"): lambda now: _slowest(now, "time_to_rejoin:", now.info.spaces),
        ("Left before any join", "A"): lambda now: single(
            sum(_bins(now.engine, "time_to_exit:", ("*",), since=None).values()) or None, engine=now.chosen[0]
        ),
        ("Time to join", "A"): lambda now: _duration(now, "time_to_join:", ("*",)),
        ("Time to rejoin", "A"): lambda now: _duration(now, "time_to_rejoin:", now.info.spaces),
        ("Exits before join", "A"): lambda now: single(_exits(now.engine), engine=now.chosen[0]),
        ("Exits before join", "B"): lambda now: single(_exits(now.truth), engine="truth"),
        ("Tweets per minute", "A"): _tweets,
        ("Stance of the launch's tweets", "A"): lambda now: stances_minute(now, "launch"),
    }


def _capacity(now: ProofMoment) -> Vector:
    known = [one for one in now.info.capacity if one.start <= now.at]
    return single(known[-1].listeners if known else None)


def run(now: ProofMoment) -> Vector:
    """Return the series of run information."""
    info = now.info
    return single(
        1,
        run=info.run,
        scenario=info.scenario,
        scale=f"{info.scale:g}",
        seed=str(info.seed),
        tape=info.tape_sha256[:12],
    )


def phase(now: ProofMoment) -> Vector:
    """Return the phase the replay is in."""
    return single(1, phase=now.info.phase_at(now.at))


def stances_minute(now: ProofMoment, subject: str) -> Vector:
    """Return the stances of a subject's tweets in the last minute."""
    shown = now.engine
    since = minute_before(shown.at)
    values = {name: shown.counted.stance(subject, name, shown.at, since) for name in STANCES}
    return series_by("stance", values, subject=subject, engine=now.chosen[0])


def _late(now: ProofMoment) -> Vector:
    start = next(phase.start for phase in now.info.phases if phase.name == SCHEDULED)
    return single((now.info.talk_start - start) / 1000)


def _presence(shown: Shown, space: str, count: str, since: int | None = None) -> int:
    return shown.counted.presence(space, count, shown.at, since)


def _audience(shown: Shown, space: str) -> int:
    return shown.counted.audience_at(space, shown.at)


def _most_waiting(shown: Shown) -> int:
    return max(shown.counted.waiting_at(end) for end in shown.counted.ends(shown.at))


def _inside(shown: Shown) -> int:
    return sum(_audience(shown, space) for space in shown.counted.info.spaces)


def _share_of_crowd(now: ProofMoment, people: int) -> Vector:
    crowd = _inside(now.engine) + now.engine.counted.waiting_at(now.engine.at)
    return single(people / crowd if crowd else None)


def _quotient(one: float, other: float) -> float:
    """Return the quotient as PromQL has it."""
    if other:
        return one / other
    return math.copysign(math.inf, one) if one else math.nan


def _worst(now: ProofMoment, worst: Callable[[list[float]], float], of: Callable[[Shown, str], float | None]) -> Vector:
    values = [value for space in now.spaces if (value := of(now.engine, space)) is not None]
    return single(worst(values) if values else None)


def alerts(now: ProofMoment) -> Vector:
    """Return the firing alerts of the selected engines, and of none."""
    return {labels: value for labels, value in now.work_series(ALERTS).items() if ("alertstate", "firing") in labels}


def alerts_of_the_night(now: ProofMoment) -> Vector:
    """Return the alerts about the night that fire at the moment, by the thresholds of docs/runbooks.md."""
    shown, spaces, since = now.engine, now.info.spaces, minute_before(now.engine.at)
    inside, outside = _inside(shown), shown.counted.waiting_at(shown.at)
    growth = sum(
        sign * _presence(shown, space, count, since)
        for space in spaces
        for count, sign in (("arrivals", 1), ("drops", 1), ("joins", -1), ("give_ups", -1))
    )
    most = max(_peak(now, space)[0] for space in spaces)
    effect = effect_of(shown.counted, shown.at)
    fires = {
        "LaunchMelting": any(
            (_drop_ratio(shown, space) or 0) > 0.015  # noqa: PLR2004
            and _presence(shown, space, "drops", since) >= _ENOUGH
            for space in spaces
        ),
        "JoinSuccessLow": any(
            (1 if (success := _success(shown, space)) is None else success) < 0.75  # noqa: PLR2004
            and _presence(shown, space, "fails", since) >= _ENOUGH
            for space in spaces
        ),
        "AudienceCollapse": inside < 0.5 * most and inside < outside,
        "WaitingRoomGrowing": _quotient(outside, inside + outside) > 0.07  # noqa: PLR2004
        and growth > -0.08 * outside
        and outside >= _ENOUGH,
        "AnnouncementSurge": effect is not None and effect.uplift.low > _SURGE and effect.excess.low >= _ENOUGH,
    }
    return merged(single(1, engine=now.chosen[0], alertname=name) for name, is_so in fires.items() if is_so)


def _alert_states(now: ProofMoment) -> Vector:
    silent = series_by("alertname", dict.fromkeys(_OF_THE_EVENING, 0), engine=now.chosen[0])
    firing = {labels: value for labels, value in alerts_of_the_night(now).items() if labels in silent}
    return {**silent, **firing}


def _peak(now: ProofMoment, space: str) -> tuple[int, int]:
    return _peak_of(now.engine.counted, space, now.engine.at)


@cache
def _peak_of(counted: Counted, space: str, at: int) -> tuple[int, int]:
    return counted.peak(space, at)


def _ever(now: ProofMoment) -> Vector:
    return single(_presence(now.engine, "*", "first_joins"), space="*", engine=now.chosen[0])


def _by_space(now: ProofMoment, values: dict[str, float | None]) -> Vector:
    return series_by("space", values, engine=now.chosen[0])


def _minute(now: ProofMoment, *kinds: str) -> Vector:
    since = minute_before(now.engine.at)
    return series_by(
        "kind",
        {
            kind: sum(_presence(now.engine, space, PRESENCE_KINDS[kind], since) for space in now.spaces)
            for kind in kinds
        },
    )


def _drop_ratio(shown: Shown, space: str) -> float | None:
    since = minute_before(shown.at)
    present = shown.counted.audience_at(space, since) + _presence(shown, space, "joins", since)
    return _presence(shown, space, "drops", since) / present if present > 0 else None


def _success(shown: Shown, space: str) -> float | None:
    since = minute_before(shown.at)
    joins, fails = (_presence(shown, space, count, since) for count in ("joins", "fails"))
    return joins / (joins + fails) if joins + fails > 0 else None


def _last_minute(shown: Shown, family: str, spaces: tuple[str, ...]) -> dict[int, int]:
    return _bins(shown, family, spaces, since=minute_before(shown.at))


def _bins(shown: Shown, family: str, spaces: tuple[str, ...], *, since: int | None) -> dict[int, int]:
    """Return durations by the first millisecond of their bin."""
    found: dict[int, int] = {}
    for space, count in shown.counted.families((family,)):
        if space in spaces:
            begin = int(count.removeprefix(family))
            found[begin] = found.get(begin, 0) + _presence(shown, space, count, since)
    return found


def _duration(now: ProofMoment, family: str, spaces: tuple[str, ...]) -> Vector:
    bins = _last_minute(now.engine, family, spaces)
    values = {f"{share:g}": _quantile(bins, share) for share in QUANTILES}
    return series_by("quantile", values, engine=now.chosen[0])


def _slowest(now: ProofMoment, family: str, spaces: tuple[str, ...]) -> Vector:
    """Return the seconds that 95 % of the durations so far do not exceed, if those of a bucket lie evenly in it."""
    bins = _bins(now.engine, family, spaces, since=None)
    bounds = (0, *DURATION_BOUNDS_MS)
    rank = 0.95 * sum(bins.values())
    for low, high in pairwise(bounds):
        count = sum(number for begin, number in bins.items() if low <= begin < high)
        if 0 < rank <= count:
            return single((low + (high - low) * rank / count) / 1000, engine=now.chosen[0])
        rank -= count
    return single(bounds[-1] / 1000 if sum(bins.values()) else None, engine=now.chosen[0])


def _quantile(bins: dict[int, int], share: float) -> float | None:
    """Return the seconds that a share of the durations do not exceed, if those of a bin lie evenly in it."""
    rank = share * sum(bins.values())
    for begin, count in sorted(bins.items()):
        if 0 < rank <= count:
            return (begin + (bin_end(begin) - begin) * rank / count) / 1000
        rank -= count
    return None


def _exits(shown: Shown) -> float | None:
    exits, joins = (sum(_last_minute(shown, family, ("*",)).values()) for family in ("time_to_exit:", "time_to_join:"))
    return exits / (exits + joins) if exits + joins else None


def _tweets(now: ProofMoment) -> Vector:
    shown = now.engine
    since = minute_before(shown.at)
    subjects = [*(rule.subject for rule in now.info.subjects), "other"]
    return merged(
        single(
            sum(shown.counted.tweets(subject, count, shown.at, since) for count in TWEET_KINDS.values()),
            subject=subject,
        )
        for subject in subjects
    )
