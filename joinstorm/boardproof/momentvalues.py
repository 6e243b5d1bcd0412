"""One moment of the proof's night, and the functions that build a panel's expected answer."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from joinstorm.boardproof.counted import Counted
from joinstorm.prometheus.server import Labels, Vector
from streams.contract.names import MINUTE_MS, TRUTH
from streams.contract.progress import Covered
from streams.contract.runinfo import RunInfo, RunStatus

Work: TypeAlias = Mapping[tuple[str, Labels], Callable[[float], float]]
"""Series about work, not about the night (workers, scrapes): value by second since the epoch."""
RATE_SECONDS = 60
"""The value of Grafana's ``$__rate_interval`` in the proof."""


@dataclass(frozen=True)
class Shown:
    """One engine at a moment: its counts, the event time (ms) they are as of, and its progress."""

    counted: Counted
    at: int
    covered: Covered


@dataclass(frozen=True)
class ProofMoment:
    """One moment of the night, and one choice of the boards' variables.

    Args:
        name: The name of the moment.
        at: Event time (ms); also the time of the query.
        info: The run.
        status: The status of the replay.
        pace: Event seconds per second in the last ten seconds of wall clock time.
        engines: Every engine, the truth included.
        chosen: The engines selected on the board; exactly one on a board for a single engine.
        spaces: The rooms selected on the board.
        records: Result records the exporter has read, by topic.
        rejected: Those it has rejected, by topic and reason.
        work: Series about work, not about the night.
        earlier: Returns the moment ``RATE_SECONDS`` before this one.
    """

    name: str
    at: int
    info: RunInfo
    status: RunStatus
    pace: float
    engines: Mapping[str, Shown]
    chosen: tuple[str, ...]
    spaces: tuple[str, ...]
    records: Mapping[str, int] = field(repr=False)
    rejected: Mapping[tuple[str, str], int] = field(repr=False)
    work: Work = field(repr=False)
    earlier: "Callable[[], ProofMoment]" = field(repr=False)

    @property
    def engine(self) -> Shown:
        """The selected engine of a board for a single engine."""
        return self.engines[self.chosen[0]]

    @property
    def truth(self) -> Shown:
        """The truth."""
        return self.engines[TRUTH]

    @property
    def seconds(self) -> float:
        """The moment in seconds since the epoch."""
        return self.at / 1000

    @property
    def variables(self) -> dict[str, str]:
        """The values Grafana would substitute for the boards' variables."""
        return {
            "run": self.info.run,
            "engine": "|".join(self.chosen),
            "space": "|".join(self.spaces),
            "__rate_interval": f"{RATE_SECONDS}s",
        }

    def work_series(self, name: str) -> dict[Labels, float]:
        """Return the current series of a metric of work; only of the selected engines where it has that label."""
        return {
            labels: value(self.seconds)
            for (metric, labels), value in self.work.items()
            if metric == name and dict(labels).get("engine", self.chosen[0]) in self.chosen
        }


Expected: TypeAlias = Callable[[ProofMoment], Vector]
"""The expected answer of one query at a moment."""


def single(value: float | None, **labels: str) -> Vector:
    """Return a single series; none where there is no value."""
    return {} if value is None else {frozenset(labels.items()): value}


def series_by(label: str, values: Mapping[str, float | None], **labels: str) -> Vector:
    """Return a series per value of a label; those without a value are left out."""
    return {frozenset({label: name, **labels}.items()): value for name, value in values.items() if value is not None}


def merged(vectors: Iterable[Vector]) -> Vector:
    """Return the series of several vectors."""
    return {labels: value for vector in vectors for labels, value in vector.items()}


def rate(of: Expected) -> Expected:
    """Return the growth of ``of`` per second over ``RATE_SECONDS``."""

    def vector(now: ProofMoment) -> Vector:
        then = of(now.earlier())
        return {labels: (value - then[labels]) / RATE_SECONDS for labels, value in of(now).items()}

    return vector


def work_series(name: str) -> Expected:
    """Return the series of a metric of work."""
    return lambda now: now.work_series(name)


def summed(vector: Mapping[Labels, float], *by: str) -> Vector:
    """Return the sums over all labels but ``by``."""
    return _grouped(vector, by, sum)


def greatest(vector: Mapping[Labels, float], *by: str) -> Vector:
    """Return the maxima over all labels but ``by``."""
    return _grouped(vector, by, max)


def _grouped(vector: Mapping[Labels, float], by: tuple[str, ...], how: Callable[[list[float]], float]) -> Vector:
    groups: dict[Labels, list[float]] = {}
    for labels, value in vector.items():
        groups.setdefault(frozenset((name, text) for name, text in labels if name in by), []).append(value)
    return {labels: how(values) for labels, values in groups.items()}


def minute_before(at: int) -> int:
    """Return the start of the last minute, event time in ms."""
    return at - MINUTE_MS
