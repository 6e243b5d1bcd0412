"""The results of a comparison: one score per engine, with one turn per repeat."""

from typing import Literal, TypeAlias

import msgspec

from joinstorm.compare.fullspeed import Recovery, Throughput
from joinstorm.compare.paced import Paced
from joinstorm.engines.setup import EngineSetup

SeedFrom: TypeAlias = Literal["scenario", "option", "tape"]
NEEDED = ("throughput", "recovery", "faults")
"""Parts that give answers: an engine that fails in one of them is not exact."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An engine's final counts compared with the truth."""

    exact: bool
    digest: str = ""
    mismatches: int = 0
    compared: int = 0
    problems: tuple[str, ...] = ()
    """Why it is not exact, other than counts."""


class Turn(msgspec.Struct, kw_only=True):
    """The measurements of one engine in one repeat; null where not measured."""

    throughput: Throughput | None = None
    answer: Answer | None = None
    """For the whole night, as it is."""
    recovery: Recovery | None = None
    after_kill: Answer | None = None
    """For the whole night, with a worker killed in it."""
    with_faults: Answer | None = None
    """For a part of the night with declared faults."""
    latency: Paced | None = None
    sustained: Paced | None = None
    """The fastest probe it kept up with."""
    sustained_limit: str = ""
    """What ended the search, if not the engine: the tape or the producer."""

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Return the answers that were judged."""
        return tuple(one for one in (self.answer, self.after_kill, self.with_faults) if one is not None)


class Score(msgspec.Struct, kw_only=True):
    """The measurements of one engine."""

    engine: str
    setup: EngineSetup = EngineSetup()
    turns: tuple[Turn, ...] = ()
    """One per repeat; none for an engine that cannot run here."""
    problems: tuple[str, ...] = ()
    """Why a part failed, with the last log lines."""
    failed: tuple[str, ...] = ()
    """Parts that failed in some repeat."""

    @property
    def counted(self) -> bool:
        """Whether it counted the whole night in every repeat."""
        return bool(self.turns) and all(turn.throughput is not None for turn in self.turns)

    @property
    def exact(self) -> bool:
        """Whether every answer in every repeat is the truth, and no part that gives answers failed."""
        answers = [answer for turn in self.turns for answer in turn.answers]
        judged = self.counted and all(turn.answer is not None for turn in self.turns)
        return judged and all(one.exact for one in answers) and not set(NEEDED) & set(self.failed)

    def all_problems(self) -> tuple[str, ...]:
        """Return why it is not exact, other than counts, and why parts failed."""
        judged = (text for turn in self.turns for answer in turn.answers for text in answer.problems)
        return tuple(dict.fromkeys((*self.problems, *judged)))


class Scoreboard(msgspec.Struct, kw_only=True):
    """The scores of all engines, and the conditions they were measured under."""

    truth_digest: str
    events: int
    scenario: str
    scale: float
    seed: int
    seed_from: SeedFrom
    """Where the seed is from: all engines and repeats count the same night."""
    workers: int
    repeats: int
    load: float
    """Events per second of the latency part."""
    fault_events: int
    """Events of the part with declared faults."""
    scores: tuple[Score, ...]
    """Exact ones first, then by events per processor second: speed counts only when the answers are right."""
    machine: dict[str, str] = {}
    versions: dict[str, str] = {}
    made: str = ""
    seconds: float = 0.0
    interrupted: bool = False
    """Whether a signal ended it before everything was measured."""

    @property
    def exact(self) -> bool:
        """Every engine gave the truth's answers, to everything that was to be asked."""
        return not self.interrupted and all(score.exact for score in self.scores)
