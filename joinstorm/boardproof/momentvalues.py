"""What was so at one moment of the proof's night, and how to write down what a panel must show then."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from joinstorm.boardproof.counted import Counted
from joinstorm.prometheus.server import Labels, Vector
from streams.contract.names import MINUTE_MS, TRUTH
from streams.contract.progress import Covered
from streams.contract.runinfo import RunInfo, RunStatus

Work: TypeAlias = Mapping[tuple[str, Labels], Callable[[float], float]]
"""Series that a replay makes beside the night's (workers, scrapes): value by second since the epoch."""
RATE_SECONDS = 60
"""What stands for Grafana's ``$__rate_interval`` in the proof."""


@dataclass(frozen=True)
class Shown:
    """One engine at a moment: its counts, as of which event time (ms), and how far it says it is."""

    counted: Counted
    at: int
    covered: Covered


@dataclass(frozen=True)
class ProofMoment:
    """One moment of the night and one choice of the boards' variables.

    Args:
        name: What the moment is called.
        at: Event time (ms); also when Prometheus is asked.
        info: The run.
        status: What the replay says of itself.
        engines: Every engine, the truth included.
        chosen: The engines chosen on the board; boards with a single one have one.
        spaces: The rooms chosen on the board.
        records: Result records the exporter has read, by topic.
        rejected: Those it has rejected, by topic and reason.
        work: Series made by work, not by the night.
        earlier: Makes the moment ``RATE_SECONDS`` before this one.
    """

    name: str
    at: int
    info: RunInfo
    status: RunStatus
    engines: Mapping[str, Shown]
    chosen: tuple[str, ...]
    spaces: tuple[str, ...]
    records: Mapping[str, int] = field(repr=False)
    rejected: Mapping[tuple[str, str], int] = field(repr=False)
    work: Work = field(repr=False)
    earlier: "Callable[[], ProofMoment]" = field(repr=False)

    @property
    def engine(self) -> Shown:
        """The chosen engine of a board that shows one."""
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
        """What Grafana would put in the place of the boards' variables."""
        return {
            "engine": "|".join(self.chosen),
            "space": "|".join(self.spaces),
            "__rate_interval": f"{RATE_SECONDS}s",
        }

    def worked(self, name: str) -> dict[Labels, float]:
        """Return the series of a metric of work, of the chosen engines where it has that label, as they are now."""
        return {
            labels: value(self.seconds)
            for (metric, labels), value in self.work.items()
            if metric == name and dict(labels).get("engine", self.chosen[0]) in self.chosen
        }


Expected: TypeAlias = Callable[[ProofMoment], Vector]
"""What one query must answer at a moment."""


def one(value: float | None, **labels: str) -> Vector:
    """Return one series; none where there is no value."""
    return {} if value is None else {frozenset(labels.items()): value}


def many(label: str, values: Mapping[str, float | None], **labels: str) -> Vector:
    """Return a series per value of a label, those without a value left out."""
    return {frozenset({label: name, **labels}.items()): value for name, value in values.items() if value is not None}


def merged(vectors: Iterable[Vector]) -> Vector:
    """Return all series of several vectors."""
    return {labels: value for vector in vectors for labels, value in vector.items()}


def rate(of: Expected) -> Expected:
    """Return the growth per second over ``RATE_SECONDS`` of what ``of`` says."""

    def vector(now: ProofMoment) -> Vector:
        then = of(now.earlier())
        return {labels: (value - then[labels]) / RATE_SECONDS for labels, value in of(now).items()}

    return vector


def worked(name: str) -> Expected:
    """Return the series of a metric of work."""
    return lambda now: now.worked(name)


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
    """Return where the last minute begins, event time in ms."""
    return at - MINUTE_MS
