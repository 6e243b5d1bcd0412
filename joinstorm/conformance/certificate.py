"""Holds one engine to the contract, point by point, and says by how much it is wrong."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Literal

import msgspec

from joinstorm.conformance.nights import simulated
from joinstorm.conformance.pointrun import PointRun
from joinstorm.conformance.points import POINTS, Point, PointFinding
from joinstorm.engines.undertest import EngineUnderTest
from joinstorm.verdict.comparison import Mismatch
from streams.errors import EngineError, JoinstormError
from streams.golden import GoldenNight
from streams.kafka.connection import Connection

NAMED: Final = 5
"""How many differences of a point are spelled out."""
GIVE_UP_AFTER: Final = 2
"""So many points in a row that led to no answer at all, and the rest is not tried: each costs its whole deadline."""
Status = Literal["exact", "wrong", "failed", "unsupported", "not tried"]


class PointOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the certificate."""

    point: str
    says: str
    status: Status
    detail: str = ""
    """By how much it is wrong, why it failed (with the last log lines), or why it is not supported."""
    compared: int = 0
    """Counts that were compared."""
    mismatches: int = 0
    off_by: int = 0
    """Sum of all differences, taken as positive."""
    counted: int = 0
    """Sum of all expected counts."""
    named: tuple[Mismatch, ...] = ()
    digest: str = ""
    truth_digest: str = ""
    seconds: float = 0.0


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine has shown, when, and on what."""

    engine: str
    outcomes: tuple[PointOutcome, ...]
    versions: dict[str, str] = {}
    machine: dict[str, str] = {}
    made: str = ""
    """When, ISO 8601."""
    limits: str = ""
    """What the engine cannot do by its nature, as its maintainers say."""

    @property
    def exact(self) -> bool:
        """Every point that was supported is exact, and at least one was."""
        tried = [one for one in self.outcomes if one.status != "unsupported"]
        return bool(tried) and all(one.status == "exact" for one in tried)


def choose(names: Sequence[str]) -> tuple[Point, ...]:
    """Return the points with these names, all if none are given.

    Raises:
        EngineError: There is no such point; the text lists them.
    """
    known = {point.name: point for point in POINTS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise EngineError(f"no point {unknown[0]!r}; there are: {', '.join(known)}")
    return tuple(known[name] for name in names) if names else POINTS


def conform(
    connection: Connection,
    subject: EngineUnderTest,
    logs: Path,
    *,
    points: Sequence[Point] = POINTS,
    jobs: int = 1,
    told: Callable[[PointOutcome], None] = lambda _: None,
) -> tuple[PointOutcome, ...]:
    """Hold an engine to the contract.

    Args:
        connection: A broker.
        subject: The engine.
        logs: Folder for the tape, the workers' logs and their state.
        points: What it is held to.
        jobs: Points played at once.
        told: Called with every outcome as it comes, in no order.

    Returns:
        The outcomes, in the order of ``points``.
    """
    logs.mkdir(parents=True, exist_ok=True)
    night = simulated(logs)
    trial = _Trial(connection, subject, logs, night, told)
    # Workers end with the thread that started them, so the threads live as long as the trial.
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="conform") as pool:
        return tuple(pool.map(trial.play, points))


def play(
    point: Point, connection: Connection, subject: EngineUnderTest, night: GoldenNight, logs: Path
) -> PointOutcome:
    """Play one point.

    Args:
        point: The point.
        connection: A broker.
        subject: The engine.
        night: The simulated night the point's own is made from.
        logs: Folder for the workers' logs and state.
    """
    missing = _unsupported(point, subject)
    if missing:
        return PointOutcome(point=point.name, says=point.says, status="unsupported", detail=missing)
    begin = time.monotonic()
    try:
        with PointRun(connection, subject, point.night(night), logs) as stage:
            return _outcome(point, point.play(stage), time.monotonic() - begin)
    except JoinstormError as error:
        seconds = round(time.monotonic() - begin, 2)
        return PointOutcome(point=point.name, says=point.says, status="failed", detail=str(error), seconds=seconds)


class _Trial:
    """Plays points and gives up on an engine that gives no answers."""

    def __init__(
        self,
        connection: Connection,
        subject: EngineUnderTest,
        logs: Path,
        night: GoldenNight,
        told: Callable[[PointOutcome], None],
    ) -> None:
        self.connection, self.subject, self.logs, self.night, self.told = connection, subject, logs, night, told
        self.silent = 0

    def play(self, point: Point) -> PointOutcome:
        if self.silent >= GIVE_UP_AFTER:
            why = f"{self.silent} points before led to no answer"
            outcome = PointOutcome(point=point.name, says=point.says, status="not tried", detail=why)
        else:
            outcome = play(point, self.connection, self.subject, self.night, self.logs / point.name)
            self.silent = self.silent + 1 if outcome.status == "failed" else 0 if outcome.compared else self.silent
        self.told(outcome)
        return outcome


def _unsupported(point: Point, subject: EngineUnderTest) -> str:
    if point.needs == "rescale" and subject.rescales == "never":
        return "one worker only, by its nature"
    if point.needs == "restart" and not subject.restarts:
        return "cannot be started again, by its nature"
    return ""


def _outcome(point: Point, found: PointFinding, seconds: float) -> PointOutcome:
    comparison = found.measured.comparison
    details = list(found.complaints)
    if comparison.mismatches:
        details.insert(0, f"{comparison.mismatches:,} of {comparison.records_compared:,} counts differ")
    return PointOutcome(
        point=point.name,
        says=point.says,
        status="exact" if found.exact else "wrong",
        detail="; ".join(details),
        compared=comparison.records_compared,
        mismatches=comparison.mismatches,
        off_by=found.measured.off_by,
        counted=found.measured.counted,
        named=comparison.named[:NAMED],
        digest=comparison.digest,
        truth_digest=comparison.truth_digest,
        seconds=round(seconds, 2),
    )
