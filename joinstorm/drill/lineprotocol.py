"""A drill for a program: JSON objects, a line each; it looks, lets time pass, and answers.

Sent: ``boards`` (what there is to see, as of ``now``), ``error`` (the last line cannot be used), ``score`` (the end).
Expected: ``{"later": "2m"}`` or ``{"answer": {"page": …, "what": …, "where": …, "since": …}}``.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import numpy as np

from joinstorm.drill.console import LeftError
from joinstorm.drill.drillscore import DrillAnswer, best_answer, clock
from joinstorm.drill.sitting import SHOWN_MS, Sitting
from joinstorm.drill.situations import WHATS, WHERES
from producers.moments import duration_ms
from streams.errors import UsageError


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the trainee; one of both."""

    later: str | None = None
    answer: DrillAnswer | None = None


def converse(sitting: Sitting, lines: Iterable[str], send: Callable[[str], None]) -> None:
    """Go through a drill with a program.

    Args:
        sitting: The sitting.
        lines: What the program says.
        send: Sends it a line.

    Raises:
        LeftError: The lines ended before an answer.
    """
    send(_encoded(_boards(sitting)))
    for line in lines:
        if not line.strip():
            continue
        try:
            send(_encoded(_reply(sitting, line)))
        except UsageError as error:
            send(_encoded({"type": "error", "error": str(error)}))
        if sitting.score is not None:
            return
    raise LeftError


def _reply(sitting: Sitting, line: str) -> dict[str, Any]:
    try:
        asked = msgspec.json.decode(line, type=Request)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UsageError(f"{error}; expected an object with later or answer") from None
    if (asked.later is None) == (asked.answer is None):
        raise UsageError("expected an object with either later or answer")
    if asked.answer is not None:
        sitting.give(asked.answer)
        return score_object(sitting)
    sitting.later(duration_ms(asked.later or ""))
    return _boards(sitting)


def _boards(sitting: Sitting) -> dict[str, Any]:
    panels = sitting.boards(SHOWN_MS)
    return {
        "type": "boards",
        "seed": sitting.drill.seed,
        "now": clock(sitting.now),
        "now_ms": sitting.now,
        "times_ms": panels[0].times.tolist(),
        "panels": [
            {
                "name": panel.name,
                "unit": panel.unit,
                "values": [None if np.isnan(value) else value for value in panel.values.tolist()],
            }
            for panel in panels
        ],
        "choices": {"what": WHATS, "where": WHERES},
    }


def score_object(sitting: Sitting) -> dict[str, Any]:
    """Return the score of a sitting that is over, and the truth."""
    score, truth = sitting.score, sitting.truth
    if score is None or truth is None:
        raise AssertionError("the sitting goes on")
    return {
        "type": "score",
        "seed": sitting.drill.seed,
        "points": score.points,
        "of": 100,
        "parts": score.parts,
        "answer": sitting.answer,
        "truth": best_answer(truth),
        "night": sitting.drill.info.scenario,
        "told": truth.told,
    }


def _encoded(document: dict[str, Any]) -> str:
    return msgspec.json.encode(document).decode()
