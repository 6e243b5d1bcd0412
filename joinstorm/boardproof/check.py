"""Runs every query of every board in a Prometheus and compares the answers with the oracle's counts."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dashboards import promql
from dashboards.lint import panels
from joinstorm.boardproof import announcementpanels as announcement
from joinstorm.boardproof import launchpanels as launch
from joinstorm.boardproof import pipelinepanels as pipeline
from joinstorm.boardproof.findings import Mutation
from joinstorm.boardproof.momentvalues import Expected, ProofMoment
from joinstorm.boardproof.mutants import mutants
from joinstorm.boardproof.proofnight import ALERTS, GOOD, WRONG, ProofNight
from joinstorm.prometheus.backfill import make_blocks, write_openmetrics
from joinstorm.prometheus.server import Labels, Prometheus, QueryError, Vector
from streams.metrics.definitions import EXPORTER_METRICS, WORKER_METRICS
from streams.metrics.receiver import RECEIVER_METRICS

EXPECTED: Final[dict[str, dict[tuple[str, str], Expected]]] = {
    "joinstorm-launch": launch.expected(),
    "joinstorm-announcement": announcement.expected(),
    "joinstorm-pipeline": pipeline.pipeline(),
    "joinstorm-engines": pipeline.engines(),
}
"""The expected answer of each query, by board, then panel and letter; written independently of the queries."""
ANNOTATION: Final = "annotation"
EXACT: Final = 1e-13
"""Relative bound for values of the night: rounding in the text format and in PromQL."""
RATE_BOUND: Final = 0.005
"""Relative bound for rates of work, which Prometheus extrapolates from scrapes."""


@dataclass(frozen=True)
class BoardQuery:
    """One query of a board."""

    board: str
    panel: str
    letter: str
    expr: str

    @property
    def of_rules(self) -> bool:
        """Whether it is made of the alerting rules, whose mutants the rules' own tests find."""
        return '"alertname"' in self.expr

    def __str__(self) -> str:
        """Return its place."""
        return f"{self.board}, {self.panel}, query {self.letter}"


@dataclass(frozen=True)
class PanelMismatch:
    """A query that differs from the oracle at a moment."""

    query: BoardQuery
    moment: str
    text: str

    def __str__(self) -> str:
        """Return it as one line of text."""
        return f"{self.query}, at {self.moment!r}: {self.text}"


@dataclass(frozen=True)
class Survivor:
    """A mutant of a query that answered like the original at every moment."""

    query: BoardQuery
    what: str
    expr: str

    def __str__(self) -> str:
        """Return it as one line of text."""
        return f"{self.query}: {self.what}: {self.expr}"


def queries(boards: Mapping[str, dict[str, Any]]) -> Iterator[BoardQuery]:
    """Yield every query of every board, those of annotations included."""
    for uid, board in boards.items():
        for panel in panels(board):
            for target in panel["targets"]:
                yield BoardQuery(uid, panel["title"], target["refId"], target["expr"])
        for annotation in board["annotations"]["list"]:
            if annotation.get("expr"):
                yield BoardQuery(uid, annotation["name"], ANNOTATION, annotation["expr"])


def expectation(query: BoardQuery) -> Expected | None:
    """Return the expected answer of a query; None where there is none."""
    if query.letter == ANNOTATION and query.panel == "Alerts":
        return launch.alerts_of_the_night if query.of_rules else launch.alerts
    if query.letter == ANNOTATION:
        return launch.phase
    return EXPECTED.get(query.board, {}).get((query.panel, query.letter))


class Proof:
    """A night in a Prometheus, and the boards' queries.

    Args:
        night: The night.
        prometheus: A Prometheus with ``night.series()``.
        boards: Boards by uid.
    """

    def __init__(self, night: ProofNight, prometheus: Prometheus, boards: Mapping[str, dict[str, Any]]) -> None:
        self.prometheus = prometheus
        self.queries = list(queries(boards))
        several = {uid for uid, board in boards.items() if _several(board)}
        night_time = {uid for uid, board in boards.items() if in_event_time(board)}
        rooms = night.info.spaces
        narrow, wide, good, both = ((WRONG,), rooms[:1]), ((WRONG,), rooms), ((GOOD,), rooms), ((GOOD, WRONG), rooms)
        self._moments = {
            uid: [
                night.moment(name, at, *choice, event_time=uid in night_time)
                for name, at in night.moments()
                for choice in ((narrow, both) if uid in several else (narrow, wide, good))
            ]
            for uid in boards
        }
        self._answers: dict[tuple[BoardQuery, int], Vector] = {}

    def mismatches(self, progress: Callable[[BoardQuery], None] | None = None) -> list[PanelMismatch]:
        """Return the first mismatch of every query that has any."""
        found = []
        for query in self.queries:
            if progress is not None:
                progress(query)
            mismatch = self.differs(query, query.expr)
            if mismatch is not None:
                found.append(mismatch)
        return found

    def differs(self, query: BoardQuery, expr: str) -> PanelMismatch | None:
        """Return the first moment at which ``expr`` does not answer as expected; None if there is none."""
        expected = expectation(query)
        if expected is None:
            return PanelMismatch(query, "any", "it has no expected answer in joinstorm/boardproof")
        for number, moment in enumerate(self._moments[query.board]):
            wanted = self._answers.setdefault((query, number), expected(moment))
            text = self._compare(query, expr, moment, wanted)
            if text:
                return PanelMismatch(query, f"{moment.name}, {'|'.join(moment.chosen)}", text)
        if not any(self._answers[query, number] for number in range(len(self._moments[query.board]))):
            return PanelMismatch(query, "any", "it is empty at every moment, so nothing was compared")
        return None

    def mutate(self, substitutes: Mapping[str, str], progress: Callable[[BoardQuery], None] | None = None) -> Mutation:
        """Run every mutant of every query; one that answers like the original at every moment survives."""
        tried, survivors = 0, []
        for query in (one for one in self.queries if not one.of_rules):
            if progress is not None:
                progress(query)
            for mutant in mutants(query.expr, substitutes):
                tried += 1
                if self.differs(query, mutant.expr) is None:
                    survivors.append(str(Survivor(query, mutant.what, mutant.expr)))
        return Mutation(tried, survivors)

    def _compare(self, query: BoardQuery, expr: str, moment: ProofMoment, wanted: Vector) -> str:
        try:
            got = self.prometheus.query(promql.fill(expr, moment.variables), moment.seconds)
        except QueryError as error:
            return str(error)
        of_run = ("run", moment.info.run)  # which every event-time series has, and no answer need show
        got, wanted = ({labels - {of_run}: value for labels, value in one.items()} for one in (got, wanted))
        return compare(got, wanted, RATE_BOUND if "rate(" in query.expr else EXACT)


def compare(got: Vector, wanted: Vector, bound: float) -> str:
    """Return how an answer differs from the expected one beyond a relative bound, as text; empty when it does not."""
    missing, extra = wanted.keys() - got.keys(), got.keys() - wanted.keys()
    if missing or extra:
        return f"missing series {_names(missing)}, unexpected series {_names(extra)}"
    for labels, value in wanted.items():
        if not _near(got[labels], value, bound):
            return f"{_names([labels])} is {got[labels]!r}, expected {value!r}"
    return ""


def _near(got: float, wanted: float, bound: float) -> bool:
    return (math.isnan(got) and math.isnan(wanted)) or math.isclose(got, wanted, rel_tol=bound, abs_tol=1e-12)


def _names(series: Sequence[Labels] | Any) -> str:
    shown = sorted(", ".join(f"{name}={value}" for name, value in sorted(labels)) or "(no labels)" for labels in series)
    return "; ".join(shown[:4]) + (f" and {len(shown) - 4} more" if len(shown) > 4 else "") or "none"  # noqa: PLR2004


def in_event_time(board: dict[str, Any]) -> bool:
    """Say whether a board reads event-time series: those of one run."""
    return any(variable["name"] == "run" for variable in board["templating"]["list"])


def _several(board: dict[str, Any]) -> bool:
    return any(variable["name"] == "engine" and variable["multi"] for variable in board["templating"]["list"])


def store(night: ProofNight, folder: Path, moments: Iterable[int] | None = None) -> None:
    """Write a night's series, scraped at ``moments``, to ``folder``/data as Prometheus blocks."""
    folder.mkdir(parents=True, exist_ok=True)
    text = folder / "night.om"
    with text.open("w", encoding="utf-8") as file:
        write_openmetrics(night.series(moments), file, (*EXPORTER_METRICS, *WORKER_METRICS, *RECEIVER_METRICS, ALERTS))
    make_blocks(text, folder / "data")
