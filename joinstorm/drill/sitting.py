"""A sitting: one trainee before the boards of one drill, from the first look to the answer; no I/O."""

from dataclasses import dataclass, field

import numpy as np

from joinstorm.drill.drawing import DrillNight
from joinstorm.drill.drillboards import STEP_MS, Panel
from joinstorm.drill.drillscore import DrillAnswer, DrillScore, score_answer
from joinstorm.drill.situations import Situation
from streams.errors import UsageError

SHOWN_MS = 40 * 60_000
"""How far back the boards reach at first."""


@dataclass
class Sitting:
    """What the trainee has seen and said.

    Args:
        drill: The drill.
    """

    drill: DrillNight
    now: int = field(init=False)
    """The event time (ms) up to which the boards show the night."""
    answer: DrillAnswer | None = field(default=None, init=False)
    score: DrillScore | None = field(default=None, init=False)
    truth: Situation | None = field(default=None, init=False)
    """The situation the answer was held against."""

    def __post_init__(self) -> None:
        """Begin at the first look."""
        self.now = self.drill.began

    def boards(self, back: int = SHOWN_MS) -> list[Panel]:
        """Return the boards of the last so many milliseconds of the night; nothing of what is to come.

        A panel by client or reason is there once it has had a value.
        """
        start = self.drill.info.start
        known = [panel for panel in self.drill.boards if not np.isnan(panel.between(start, self.now).values).all()]
        return [panel.between(self.now - back, self.now) for panel in known]

    def later(self, milliseconds: int) -> None:
        """Let the night go on.

        Raises:
            UsageError: It is over before.
        """
        moment = self.now + max(STEP_MS, milliseconds // STEP_MS * STEP_MS)
        if moment > self.drill.info.end:
            raise UsageError("the night is over before that: answer now")
        self.now = moment

    def give(self, answer: DrillAnswer) -> DrillScore:
        """Answer; the sitting is over.

        Raises:
            UsageError: A field of the answer is none of its choices; the sitting goes on.
        """
        self.score, self.truth = score_answer(answer, self.drill.truths, self.drill.began, self.now)
        self.answer = answer
        return self.score
