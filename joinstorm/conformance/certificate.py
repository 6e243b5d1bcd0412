"""Tests one engine against the contract, point by point, and measures by how much it is wrong."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import msgspec

from joinstorm.conformance.nights import simulated
from joinstorm.conformance.pointrun import PointRun
from joinstorm.conformance.points import POINTS, Point, PointFinding
from joinstorm.conformance.promises import broken
from joinstorm.engines.catalog import DEFAULT
from joinstorm.engines.undertest import EngineUnderTest
from joinstorm.run.supervisor import Supervisor
from joinstorm.verdict.comparison import Mismatch
from streams.errors import JoinstormError, UsageError
from streams.golden import GoldenNight
from streams.kafka.connection import Connection

NAMED: Final = 5
"""How many differences of a point are listed."""
GIVE_UP_AFTER: Final = 2
"""After so many points in a row without any answer the rest is not tried: each costs its whole deadline."""
Status = Literal["exact", "wrong", "failed", "unsupported", "not tried"]


class PointOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the certificate."""

    point: str
    says: str
    status: Status
    detail: str = ""
    """What is wrong, why it failed (with the last log lines), or why it is not supported."""
    compared: int = 0
    """Number of counts compared."""
    mismatches: int = 0
    off_by: int = 0
    """Sum of the absolute differences."""
    counted: int = 0
    """Sum of all expected counts."""
    named: tuple[Mismatch, ...] = ()
    digest: str = ""
    truth_digest: str = ""
    seconds: float = 0.0


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of every point, when, and on what machine."""

    engine: str
    outcomes: tuple[PointOutcome, ...]
    versions: dict[str, str] = {}
    machine: dict[str, str] = {}
    made: str = ""
    """When, ISO 8601."""
    limits: str = ""
    """What the engine cannot do by design."""

    @property
    def exact(self) -> bool:
        """Whether every supported point is exact, and there is at least one."""
        tried = [outcome for outcome in self.outcomes if outcome.status != "unsupported"]
        return bool(tried) and all(outcome.status == "exact" for outcome in tried)

    @property
    def verdict(self) -> str:
        """The answer in a few words; it names how many points there are, so that a part is not taken for the whole."""
        count = Counter(outcome.status for outcome in self.outcomes)
        text = f"{'exact' if self.exact else 'not exact: exact only'} on {count['exact']} of {len(POINTS)} points"
        left_out = len(POINTS) - len(self.outcomes)
        notes = [f"{count['unsupported']} unsupported by design"] if count["unsupported"] else []
        notes += [f"{left_out} not played"] if left_out else []
        return "; ".join([text, *notes])


def choose(names: Sequence[str]) -> tuple[Point, ...]:
    """Return the points with these names, or all points if none are given.

    Raises:
        UsageError: There is no such point; the text lists them.
    """
    known = {point.name: point for point in POINTS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"no point {unknown[0]!r}; there are: {', '.join(known)}")
    return tuple(known[name] for name in names) if names else POINTS


def conform(
    connection: Connection,
    engine: EngineUnderTest,
    logs: Path,
    *,
    points: Sequence[Point] = POINTS,
    jobs: int = 1,
    notify: Callable[[PointOutcome], None] = lambda _: None,
) -> tuple[PointOutcome, ...]:
    """Test an engine against the contract.

    Args:
        connection: A broker.
        engine: The engine.
        logs: Folder for the tape, the workers' logs and their state.
        points: The points to play.
        jobs: Points played at once.
        notify: Called with every outcome as it comes, in any order.

    Returns:
        The outcomes, in the order of ``points``.
    """
    logs.mkdir(parents=True, exist_ok=True)
    with kernels_for(engine, logs):
        night = simulated(logs)
    trial = _Trial(connection, engine, logs, night, notify)
    # Workers end with the thread that started them, so the threads live as long as the trial.
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="conform") as pool:
        try:
            return tuple(pool.map(trial.play, points))
        finally:
            trial.cancelled.set()


@contextlib.contextmanager
def kernels_for(engine: EngineUnderTest, logs: Path) -> Iterator[None]:
    """Compile the kernels of ``faust`` beside the block, where this machine has not yet; wait for them at its end.

    A busy machine needs minutes for them, and no point shall wait for a compiler.
    """
    with Supervisor(logs / "warm-up") as supervisor:
        warm = supervisor.warm_up() if DEFAULT in engine.start else None
        yield
        if warm is not None:
            warm.process.wait()


def play(
    point: Point,
    connection: Connection,
    engine: EngineUnderTest,
    night: GoldenNight,
    logs: Path,
    cancelled: threading.Event | None = None,
) -> PointOutcome:
    """Play one point.

    Args:
        point: The point.
        connection: A broker.
        engine: The engine.
        night: The simulated night from which the point makes its own.
        logs: Folder for the workers' logs and state.
        cancelled: Set by another thread when nobody waits for the outcome any more.
    """
    missing = _unsupported(point, engine)
    if missing:
        return PointOutcome(point=point.name, says=point.says, status="unsupported", detail=missing)
    begin = time.monotonic()
    try:
        with PointRun(connection, engine, point.night(night), logs, cancelled) as run:
            found = point.play(run)
            promises = broken(run.written(), run.night, engine.name, one_life=not point.needs, final=not point.late)
            found = replace(found, complaints=tuple(dict.fromkeys((*found.complaints, *promises))))
            return _outcome(point, found, time.monotonic() - begin)
    except JoinstormError as error:
        seconds = round(time.monotonic() - begin, 2)
        return PointOutcome(point=point.name, says=point.says, status="failed", detail=str(error), seconds=seconds)


class _Trial:
    """Plays points, and gives up on an engine that gives no answers."""

    def __init__(
        self,
        connection: Connection,
        engine: EngineUnderTest,
        logs: Path,
        night: GoldenNight,
        notify: Callable[[PointOutcome], None],
    ) -> None:
        self.connection, self.engine, self.logs, self.night, self.notify = connection, engine, logs, night, notify
        self.silent = 0
        self.cancelled = threading.Event()
        """Whether the trial is over, and what is still played has no outcome."""

    def play(self, point: Point) -> PointOutcome:
        if self.silent >= GIVE_UP_AFTER:
            why = f"the {self.silent} points before gave no answer"
            outcome = PointOutcome(point=point.name, says=point.says, status="not tried", detail=why)
        else:
            outcome = play(point, self.connection, self.engine, self.night, self.logs / point.name, self.cancelled)
            self.silent = self.silent + 1 if outcome.status == "failed" else 0 if outcome.compared else self.silent
        if not self.cancelled.is_set():
            self.notify(outcome)
        return outcome


def _unsupported(point: Point, engine: EngineUnderTest) -> str:
    if point.needs == "rescale" and engine.rescales == "never":
        return "one worker only, by design"
    if point.needs == "restart" and not engine.restarts:
        return "cannot be restarted, by design"
    return ""


def _outcome(point: Point, found: PointFinding, seconds: float) -> PointOutcome:
    comparison = found.measured.comparison
    compared = comparison.records_compared + comparison.durations.compared + comparison.breakdowns.compared
    if found.unsupported:
        return PointOutcome(point=point.name, says=point.says, status="unsupported", detail=found.unsupported)
    details = list(found.complaints)
    if comparison.mismatches:
        details.insert(0, f"{comparison.mismatches:,} of {compared:,} counts differ")
    return PointOutcome(
        point=point.name,
        says=point.says,
        status="exact" if found.exact else "wrong",
        detail="; ".join(details),
        compared=compared,
        mismatches=comparison.mismatches,
        off_by=found.measured.off_by,
        counted=found.measured.counted,
        named=comparison.named[:NAMED],
        digest=comparison.digest,
        truth_digest=comparison.truth_digest,
        seconds=round(seconds, 2),
    )
