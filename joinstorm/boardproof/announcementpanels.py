"""The expected answers of *The announcement*, from the oracle's counts."""

from collections.abc import Callable
from typing import Final

from joinstorm.boardproof.effectvalues import effect_of
from joinstorm.boardproof.launchpanels import stances_minute
from joinstorm.boardproof.momentvalues import Expected, ProofMoment, Shown, merged, minute_before, series_by, single
from joinstorm.prometheus.server import Vector
from streams.contract.names import MINUTE_MS
from streams.contract.results import HASHTAG, STANCES
from streams.effect.baseline import Estimate
from streams.effect.estimate import ReactionEstimate
from streams.metrics.labels import TOP_HASHTAGS, TWEET_KINDS

SUBJECT: Final = "announcement"


def expected() -> dict[tuple[str, str], Expected]:
    """Return the expected answer of each query of the board, by panel and letter."""
    return {
        ("Uplift", "A"): _bounds(lambda found: found.uplift),
        ("Excess tweets", "A"): _bounds(lambda found: found.excess),
        ("Half-life", "A"): _bounds(lambda found: _in_seconds(found.half_life_ms)),
        ("Time since the thread began", "A"): _since,
        ("Peak at", "A"): _figure(lambda found: None if found.peak is None else found.peak.value),
        ("Distinct authors", "A"): lambda now: _authors(now, SUBJECT),
        ("Reposts of the thread", "A"): lambda now: single(
            _tweets(now.engine, SUBJECT, "thread_reposts"), engine=now.chosen[0]
        ),
        ("Reaction and baseline", "A"): lambda now: single(_reaction(now.engine)),
        ("Reaction and baseline", "B"): lambda now: single(_reaction(now.truth)),
        ("Reaction and baseline", "C"): _baseline,
        ("Reaction by kind", "A"): _kinds_minute,
        ("Uplift over time", "A"): _bound("estimate"),
        ("Uplift over time", "B"): _bound("low"),
        ("Uplift over time", "C"): _bound("high"),
        ("Stance of the reaction", "A"): lambda now: stances_minute(now, SUBJECT),
        ("Stances so far", "A"): _shares,
        ("Hashtags", "A"): _hashtags,
        ("Authors by subject", "A"): _all_authors,
        ("Authors by subject", "B"): lambda now: _authors(now, "*"),
        ("Tweets so far", "A"): lambda now: series_by(
            "kind",
            {kind: _tweets(now.engine, SUBJECT, count) for kind, count in TWEET_KINDS.items()},
            subject=SUBJECT,
            engine=now.chosen[0],
        ),
    }


def _tweets(shown: Shown, subject: str, count: str, since: int | None = None) -> int:
    return shown.counted.tweets(subject, count, shown.at, since)


def _reaction(shown: Shown) -> int:
    since = minute_before(shown.at)
    return sum(_tweets(shown, SUBJECT, count, since) for count in TWEET_KINDS.values())


def _kinds_minute(now: ProofMoment) -> Vector:
    since = minute_before(now.engine.at)
    values = {kind: _tweets(now.engine, SUBJECT, count, since) for kind, count in TWEET_KINDS.items()}
    return series_by("kind", values, subject=SUBJECT, engine=now.chosen[0])


def _since(now: ProofMoment) -> Vector:
    return single(None if now.info.announced is None else (now.at - now.info.announced) / 1000)


def _authors(now: ProofMoment, subject: str) -> Vector:
    return single(_tweets(now.engine, subject, "first_authors"), subject=subject, engine=now.chosen[0])


def _all_authors(now: ProofMoment) -> Vector:
    subjects = [*(rule.subject for rule in now.info.subjects), "other"]
    return merged(_authors(now, subject) for subject in subjects)


def _shares(now: ProofMoment) -> Vector:
    shown = now.engine
    values = {name: shown.counted.stance(SUBJECT, name, shown.at) for name in STANCES}
    total = sum(values.values())
    shares = {name: value / total if total else float("nan") for name, value in values.items()}
    return series_by("stance", shares, subject=SUBJECT, engine=now.chosen[0])


def _hashtags(now: ProofMoment) -> Vector:
    """Return the most used hashtags."""
    totals: dict[str, float] = {}
    for subject, count in now.engine.counted.counts_with(HASHTAG):
        tag = count.removeprefix(HASHTAG)
        totals[tag] = totals.get(tag, 0) + _tweets(now.engine, subject, count)
    best = sorted(((tag, n) for tag, n in totals.items() if n), key=lambda item: (-item[1], item[0]))
    return series_by("hashtag", dict(best[:TOP_HASHTAGS]), engine=now.chosen[0])


def _effect(shown: Shown) -> ReactionEstimate | None:
    return effect_of(shown.counted, shown.at)


def _baseline(now: ProofMoment) -> Vector:
    found, info = _effect(now.engine), now.info
    if found is None or info.announced is None:
        return {}
    return single(found.without.value / ((now.engine.at - info.announced) / MINUTE_MS), engine=now.chosen[0])


def _in_seconds(estimate: Estimate | None) -> Estimate | None:
    return None if estimate is None else Estimate(*(ms / 1000 for ms in (estimate.value, estimate.low, estimate.high)))


def _bounds(of: Callable[[ReactionEstimate], Estimate | None]) -> Expected:
    def vector(now: ProofMoment) -> Vector:
        found = _effect(now.engine)
        estimate = None if found is None else of(found)
        if estimate is None:
            return {}
        values = {"estimate": estimate.value, "low": estimate.low, "high": estimate.high}
        return series_by("bound", values, engine=now.chosen[0])

    return vector


def _bound(name: str) -> Expected:
    uplift = _bounds(lambda found: found.uplift)
    return lambda now: {labels: value for labels, value in uplift(now).items() if ("bound", name) in labels}


def _figure(of: Callable[[ReactionEstimate], float | None]) -> Expected:
    def vector(now: ProofMoment) -> Vector:
        found = _effect(now.engine)
        return single(None if found is None else of(found), engine=now.chosen[0])

    return vector
