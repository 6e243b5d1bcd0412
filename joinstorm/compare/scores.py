"""The results of a comparison: one score per engine."""

import msgspec

from joinstorm.compare.fullspeed import Recovery, Throughput
from joinstorm.compare.paced import Paced


class Score(msgspec.Struct, kw_only=True):
    """The measurements of one engine; None where not measured."""

    engine: str
    exact: bool = False
    digest: str = ""
    mismatches: int = 0
    compared: int = 0
    problems: tuple[str, ...] = ()
    """Why it is not exact, other than counts, or why a part failed, with the last log lines."""
    throughput: Throughput | None = None
    recovery: Recovery | None = None
    latency: Paced | None = None
    sustained: Paced | None = None
    """The fastest probe it kept up with."""
    sustained_limit: str = ""
    """What ended the search, if not the engine: the tape or the producer."""
    version: str = ""


class Scoreboard(msgspec.Struct, kw_only=True):
    """The scores of all engines, and the conditions they were measured under."""

    truth_digest: str
    events: int
    scenario: str
    scale: float
    seed: int
    workers: int
    scores: tuple[Score, ...]
    """Exact ones first, then by events per processor second: speed counts only when the answers are right."""
    machine: dict[str, str] = {}
    versions: dict[str, str] = {}
    made: str = ""
    seconds: float = 0.0

    @property
    def exact(self) -> bool:
        """Every engine gave the truth's answers."""
        return all(score.exact for score in self.scores)
