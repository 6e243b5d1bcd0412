"""An alert in many settings: the front of detection time against false pages, and where the shipped setting lies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from joinstorm.alerts.expectation import Expectation
from joinstorm.alerts.nightlibrary import NightSource
from joinstorm.alerts.rulesfile import Rule, RulesFile
from joinstorm.alerts.scorerun import NightSettings, Progress, score
from joinstorm.alerts.scoring import AlertScore
from joinstorm.alerts.settings import Dial, is_shipped, shipped_settings, variants
from streams.errors import RulesError


@dataclass(frozen=True)
class TunedPoint:
    """An alert in one setting.

    Args:
        chosen: One setting for each dial.
        score: What it is worth.
        shipped: It is the alert as it stands.
        best: It lies on the front: no other setting misses no more, is as quick and pages falsely no more often, and is
            better in one of them.
    """

    chosen: tuple[str, ...]
    score: AlertScore
    shipped: bool
    best: bool = False

    @property
    def missed(self) -> int:
        """Incidents without a page."""
        return sum(one.detect is None for one in self.score.incidents)

    @property
    def detect(self) -> float | None:
        """The median detection time (ms); None where nothing was detected."""
        found = self.score.times("detect")
        return None if found is None else found[0]

    @property
    def false_pages(self) -> float:
        """False pages and flaps per night."""
        return (self.score.pages("false") + self.score.flaps) / len(self.score.nights)

    @property
    def cost(self) -> tuple[float, float, float]:
        """What is to be small: incidents missed, false pages per night, detection time."""
        return self.missed, self.false_pages, float("inf") if self.detect is None else self.detect


@dataclass(frozen=True)
class Tuning:
    """The outcome: an alert, what was varied, and every setting's point."""

    alert: str
    dials: tuple[Dial, ...]
    points: tuple[TunedPoint, ...]

    @property
    def front(self) -> list[TunedPoint]:
        """The settings no other one beats, the quickest first."""
        return sorted((point for point in self.points if point.best), key=lambda point: point.cost[::-1])

    @property
    def shipped(self) -> TunedPoint:
        """The alert as it stands."""
        return next(point for point in self.points if point.shipped)


def tune(
    rules: RulesFile,
    alert: str,
    expected: Mapping[Rule, Expectation],
    dials: Sequence[Dial],
    sources: Sequence[NightSource],
    settings: NightSettings,
    progress: Progress = lambda _done, _of: None,
) -> Tuning:
    """Score an alert in every combination of settings.

    Raises:
        RulesError: There is no such alert, or it has nothing of a dial's kind to vary; further as ``score``.
    """
    rule = rules.alert(alert)
    try:
        shipped = shipped_settings(rule, dials)
    except ValueError as error:
        raise RulesError(f"{rules.path}:{rule.line}: {error}") from None
    tried = list(variants(rule, dials, shipped))
    named = [replace(one.rule, group=f"{rule.group} {number}") for number, one in enumerate(tried)]
    others = tuple(one for one in rules.rules if not one.alert)
    many = RulesFile(rules.path, (*others, *named))
    scores = score(many, dict.fromkeys(named, expected[rule]), sources, settings, progress)
    if scores[0].unserved:
        raise RulesError(f"{rules.path}:{rule.line}: {alert} reads {', '.join(scores[0].unserved)}, which no night has")
    points = [TunedPoint(one.chosen, found, is_shipped(one, shipped)) for one, found in zip(tried, scores, strict=True)]
    return Tuning(alert, tuple(dials), tuple(replace(one, best=not _beaten(one, points)) for one in points))


def _beaten(point: TunedPoint, points: Sequence[TunedPoint]) -> bool:
    return any(
        other.cost != point.cost and all(mine >= yours for mine, yours in zip(point.cost, other.cost, strict=True))
        for other in points
    )


def better(tuning: Tuning) -> list[TunedPoint]:
    """Return the settings on the front that beat the shipped one; none where it lies on the front itself."""
    mine = tuning.shipped.cost
    return [
        point for point in tuning.front
        if point.cost != mine and all(theirs <= own for theirs, own in zip(point.cost, mine, strict=True))
    ]  # fmt: skip
