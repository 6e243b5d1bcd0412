"""An answer of a drill, and its score against the truth: a hundred points at most, each part explained; pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from joinstorm.alerts.durations import duration_text
from joinstorm.drill.situations import FAMILIES, NOTHING, WHATS, WHERES, Situation, Where
from streams.contract.names import MINUTE_MS
from streams.errors import UsageError
from streams.suggest import unknown

HARM, WHAT, WHERE, SINCE, SOON = 25, 30, 15, 20, 10
"""The points of each part."""
_EXACT_MS: Final = MINUTE_MS
_FAR_MS: Final = 10 * MINUTE_MS
_DAY_MS: Final = 24 * 60 * MINUTE_MS
NONE: Final = ("-", "")


class DrillAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a trainee says."""

    page: bool
    """A page is due."""
    what: str
    """A key of ``WHATS``."""
    where: str
    """A key of ``WHERES``."""
    since: str
    """A time of the night (UTC, as 19:20 or 19:20:15); ``-`` for nothing."""


class ScorePart(msgspec.Struct, frozen=True):
    """One part of a score."""

    part: str
    points: int
    most: int
    why: str


class DrillScore(msgspec.Struct, frozen=True):
    """The score of an answer."""

    parts: tuple[ScorePart, ...]

    @property
    def points(self) -> int:
        """All points."""
        return sum(part.points for part in self.parts)


def check_answer(answer: DrillAnswer, now: int) -> int | None:
    """Return since when the answer says it goes on, in event time (ms); None for nothing.

    Args:
        answer: The answer.
        now: The event time (ms) of the answer, which names the day.

    Raises:
        UsageError: A field is none of its choices; the text names it and the nearest.
    """
    for field, value, known in (("what", answer.what, WHATS), ("where", answer.where, WHERES)):
        if value not in known:
            raise UsageError(f"{field}: {unknown('answer', value, known)}")
    return since_of(answer.since, now)


def since_of(text: str, now: int) -> int | None:
    """Return the event time (ms) of a time of the night, the latest one up to ``now``; None for ``-``.

    Raises:
        UsageError: It is no time.
    """
    if text.strip() in NONE:
        return None
    parts = text.strip().split(":")
    if len(parts) not in {2, 3} or not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError(f"since {text!r}: expected a time of the night as 19:20 or 19:20:15, or - for nothing")
    hours, minutes, seconds = (*map(int, parts), 0)[:3]
    if hours > 23 or minutes > 59 or seconds > 59:  # noqa: PLR2004 - the last hour, minute and second
        raise UsageError(f"since {text!r}: expected a time of the night as 19:20 or 19:20:15, or - for nothing")
    found = now - now % _DAY_MS + (hours * 3600 + minutes * 60 + seconds) * 1000
    return found if found <= now else found - _DAY_MS


def score_answer(
    answer: DrillAnswer, truths: Sequence[Situation], began: int, now: int
) -> tuple[DrillScore, Situation]:
    """Return the score of an answer, and the situation it is held against: of those that have begun the best match.

    Args:
        answer: The answer.
        truths: What happens in the night.
        began: The event time (ms) at which the trainee first saw the boards.
        now: That of the answer.

    Raises:
        UsageError: A field of the answer is none of its choices.
    """
    since = check_answer(answer, now)
    begun = [one for one in truths if one.start is None or one.start <= now] or list(truths)
    scored = [(_score(answer, since, truth, began, now), truth) for truth in begun]
    return max(scored, key=lambda pair: pair[0].points)


def _score(answer: DrillAnswer, since: int | None, truth: Situation, began: int, now: int) -> DrillScore:
    return DrillScore((
        _harm(answer, truth), _what(answer.what, truth), _where(answer.where, truth), _since(since, truth),
        _soon(now - began),
    ))  # fmt: skip


def _harm(answer: DrillAnswer, truth: Situation) -> ScorePart:
    right = answer.page == truth.harm
    why = "people are harmed, so a page is due" if truth.harm else "nobody is harmed: a page would be a false one"
    return ScorePart("page", HARM * right, HARM, why)


def _what(what: str, truth: Situation) -> ScorePart:
    alike = any(what in family and truth.what in family for family in FAMILIES)
    points = WHAT if what == truth.what else WHAT // 2 if alike else 0
    near = f"; {what} looks like it" if alike and what != truth.what else ""
    return ScorePart("what", points, WHAT, f"{truth.what}: {WHATS[truth.what]}{near}")


def _where(where: str, truth: Situation) -> ScorePart:
    close = truth.where in {"both", "one_app"} and where in {"inside", "door", "both", "one_app"}
    points = WHERE if where == truth.where else WHERE // 2 if close else 0
    words: Where = truth.where
    return ScorePart("where", points, WHERE, f"{words}: {WHERES[words]}")


def _since(since: int | None, truth: Situation) -> ScorePart:
    if truth.start is None:
        return ScorePart("since", SINCE * (since is None), SINCE, "nothing began")
    if since is None:
        return ScorePart("since", 0, SINCE, f"it began at {clock(truth.start)}")
    off = abs(since - truth.start)
    share = 1.0 if off <= _EXACT_MS else max(0.0, (_FAR_MS - off) / (_FAR_MS - _EXACT_MS))
    why = f"it began at {clock(truth.start)}, {duration_text(off)} from the answer"
    return ScorePart("since", round(SINCE * share), SINCE, why)


def _soon(watched: int) -> ScorePart:
    points = max(0, SOON - round(watched / MINUTE_MS))
    return ScorePart("soon", points, SOON, f"{duration_text(watched)} of the night went by before the answer")


def clock(at: int) -> str:
    """Return event time as the text of a clock, UTC."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%H:%M:%S}"


def best_answer(truth: Situation) -> DrillAnswer:
    """Return the answer that the truth is."""
    return DrillAnswer(truth.harm, truth.what, truth.where, "-" if truth.start is None else clock(truth.start))


assert NOTHING in WHATS
