"""What a score has to reach: ``recall=1,precision=1,detect<3m``, held against every alert; pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from joinstorm.alerts.durations import duration_ms, duration_text
from joinstorm.alerts.scoring import AlertScore

_PART: Final = re.compile(r"\s*([a-z_]+)\s*(<=|>=|<|>|=)\s*(\S+)\s*")
_HOLDS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
    "=": lambda value, bound: value == bound,
}
_TIMES: Final = ("detect", "reset")
_NEED_AN_INCIDENT: Final = ("recall", *_TIMES)
FIGURES: Final[dict[str, Callable[[AlertScore], float | None]]] = {
    "recall": lambda score: score.recall,
    "precision": lambda score: score.precision,
    "detect": lambda score: worst(score, "detect"),
    "reset": lambda score: worst(score, "reset"),
    "flaps": lambda score: score.flaps,
    "false_pages": lambda score: score.pages("false"),
}
"""What can be required; the times are the greatest over all incidents."""


@dataclass(frozen=True)
class Requirement:
    """One bound on one figure; times in milliseconds."""

    figure: str
    relation: str
    bound: float

    def __str__(self) -> str:
        """Return it as it is written on the command line."""
        bound = duration_text(self.bound) if self.figure in _TIMES else f"{self.bound:g}"
        return f"{self.figure}{self.relation}{bound}"

    def complaint(self, score: AlertScore) -> str | None:
        """Return in words why a score does not meet it; None if it does, or does not apply.

        An alert that never has to fire needs no recall; one that never paged has every precision. A requirement does
        not apply to an alert that is not scored, because it reads what no night has.
        """
        if score.unserved:
            return None
        value = FIGURES[self.figure](score)
        if value is None:
            if self.figure not in _NEED_AN_INCIDENT or not score.expected.incidents:
                return None
            return f"{self} cannot be judged: {'no incident was detected' if score.incidents else 'no night has one'}"
        if _HOLDS[self.relation](value, self.bound):
            return None
        shown = duration_text(value) if self.figure in _TIMES else f"{value:.4g}"
        return f"{self} is required, {self.figure} is {shown}"


def worst(score: AlertScore, what: str) -> float | None:
    """Return the greatest detection or reset time of a score (ms); None where nothing was detected."""
    found = [value for one in score.incidents if (value := one.detect if what == "detect" else one.reset) is not None]
    return max(found) if found else None


def parse_requirements(text: str) -> list[Requirement]:
    """Read requirements, separated by commas.

    Raises:
        ValueError: One cannot be read; the text says how they look.
    """
    return [_requirement(part) for part in text.split(",") if part.strip()]


def _requirement(part: str) -> Requirement:
    found = _PART.fullmatch(part)
    if found is None or found[1] not in FIGURES:
        known = ", ".join(FIGURES)
        raise ValueError(f"{part.strip()!r}: expected FIGURE=BOUND (or < <= > >=), FIGURE one of {known}")
    try:
        bound = float(duration_ms(found[3])) if found[1] in _TIMES else float(found[3])
    except ValueError as error:
        raise ValueError(f"{part.strip()!r}: {error}") from None
    return Requirement(found[1], found[2], bound)


def complaints(scores: Sequence[AlertScore], required: Sequence[Requirement]) -> list[str]:
    """Return what is not met, one line for each alert and requirement; nothing is met where no alert is scored."""
    if required and all(score.unserved for score in scores):
        return ["no alert is scored, so nothing required is met"]
    return [
        f"{score.name}: {complaint}"
        for score in scores
        for complaint in dict.fromkeys(one.complaint(score) for one in required)
        if complaint is not None
    ]


def not_scored(scores: Sequence[AlertScore]) -> list[str]:
    """Return, one line each, the alerts that a requirement leaves out, and why."""
    return [
        f"{score.name}: nothing is required of it, as it reads {', '.join(score.unserved)}, which no night has"
        for score in scores
        if score.unserved
    ]
