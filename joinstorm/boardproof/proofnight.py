"""The night for the proof of the boards: one tape, three engines, and a replay with known figures.

``truth`` has the oracle's counts, and so has ``faust``. ``faust-tables`` counts every seventh window twice, adds one to
every count of every room, and lags a little, so that none of its values can be mistaken for another engine's. All
figures of work (records sent, time spent, lag) are computed by formulas, a different one for each series.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from joinstorm.boardproof.counted import Counted, doubled, inflated
from joinstorm.boardproof.momentvalues import RATE_SECONDS, ProofMoment, Shown, Work
from joinstorm.oracle.answers import Truth, ask
from joinstorm.prometheus import eventtime
from joinstorm.prometheus.backfill import AllSeries, Series, collect, info_of, night_of
from joinstorm.prometheus.remoteread import RemoteSeries
from joinstorm.prometheus.server import Labels
from producers.tape.tapefile import Tape
from streams.contract.events import REASONS
from streams.contract.names import MINUTE_MS, TRUTH, PhaseName
from streams.contract.progress import Covered
from streams.contract.runinfo import RunInfo, RunStatus
from streams.contract.topics import INPUTS, RESULTS_AUDIENCE, RESULTS_PROGRESS, RESULTS_REACTION
from streams.metrics import definitions as m
from streams.metrics.metric import Metric
from streams.metrics.receiver import RECEIVER_METRICS
from streams.read.derive import ResultsView
from streams.read.runview import EngineView, RunView

GOOD: Final = "faust"
WRONG: Final = "faust-tables"
BEHIND_MS: Final = 25_000
"""The lag of ``faust-tables`` behind the replay, in event time."""
SCRAPE_SECONDS: Final = 15
_BEFORE: Final = (600, 75, 60, 45, 30, 15, 0)
"""Scrapes in seconds before each moment: those in a rate's range, and one that only a wrong range includes."""
PACES: Final = (1.0, 0.0, 4.0)
"""How fast event time passes before each moment, in event seconds per second, by phase."""
ALERTS: Final = Metric("ALERTS", "gauge", "1", ("alertname", "alertstate", "engine"), "", "", "")
"""The series Prometheus writes of its alerts."""
_ALERTS: Final = (
    {"alertname": "LaunchMelting", "alertstate": "firing", "engine": GOOD, "severity": "page"},
    {"alertname": "JoinSuccessLow", "alertstate": "firing", "engine": WRONG, "severity": "page"},
    {"alertname": "ProcessorUnfinished", "alertstate": "pending", "engine": GOOD, "severity": "ticket"},
    {"alertname": "ProcessorUnfinished", "alertstate": "pending", "engine": WRONG, "severity": "ticket"},
    {"alertname": "ReplayOffSchedule", "alertstate": "firing", "severity": "ticket"},
)
"""Made up, as all figures of work: alerts of each engine, pending and firing, and one of none."""
GROWTH: Final = math.log(1.001) / SCRAPE_SECONDS
"""Counters of work grow by a thousandth from scrape to scrape, so that a rate over another range differs."""
_SPEEDS: Final = (60.0, 0.5, 240.0)
_RESULTS: Final = (RESULTS_AUDIENCE, RESULTS_REACTION, RESULTS_PROGRESS)
_VALUES: Final[dict[str, tuple[str, ...]]] = {
    "topic": INPUTS,
    "partition": ("0", "1"),
    "reason": REASONS,
    "stage": ("decode", "fold", "publish", "checkpoint", "restore"),
    "kind": ("whole", "changes"),
    "source": ("checkpoint", "beginning"),
    "alertname": ("LaunchMelting", "JoinSuccessLow"),
    "severity": ("page",),
    "status": ("firing", "resolved"),
}
"""Values of the labels of the metrics of workers, broker and receiver."""
_WORKERS: Final = ((GOOD, "worker-1:9200"), (GOOD, "worker-2:9200"), (WRONG, "worker-3:9200"))


@dataclass(frozen=True)
class ProofNight:
    """A tape's night with its engines."""

    info: RunInfo
    truth: Truth

    @classmethod
    def of_tape(cls, path: Path) -> "ProofNight":
        """Count a tape with SQL; raises TapeError when it cannot be read."""
        info = info_of(Tape.open(path))
        return cls(info, ask(path, info))

    @cached_property
    def counted(self) -> dict[str, Counted]:
        """The counts of every engine."""
        right = Counted(self.info, self.truth.audience, self.truth.reaction, self.truth.estimates)
        wrong = self._wrong
        return {TRUTH: right, GOOD: right, WRONG: Counted(self.info, wrong.audience, wrong.reaction, wrong.estimates)}

    @cached_property
    def _wrong(self) -> Truth:
        """The counts of the wrong engine: every seventh window twice, and one more of everything in every room."""
        windows = {window for table in (self.truth.audience, self.truth.reaction) for window, _ in table}
        twice = [window for window in windows if window // self.info.window_ms % 7 == 0]
        return Truth(
            audience=inflated(doubled(self.truth.audience, twice), self.info.spaces),
            reaction=doubled(self.truth.reaction, twice),
            estimates=doubled(self.truth.estimates, twice),
            events=self.truth.events,
        )

    @cached_property
    def _nights(self) -> dict[str, ResultsView]:
        right = night_of(self.truth, self.info)
        return {TRUTH: right, GOOD: right, WRONG: night_of(self._wrong, self.info)}

    def moments(self) -> list[tuple[str, int]]:
        """Return the named moments (event time, ms): one inside each phase, one with both rooms in use, and the end."""
        ends = [*(phase.start for phase in self.info.phases[1:]), self.info.end]
        inside = [
            (phase.name, _on_scrape(phase.start + min(10 * MINUTE_MS, (end - phase.start) // 2)))
            for phase, end in zip(self.info.phases, ends, strict=True)
        ]
        opening = next(phase.start for phase in self.info.phases if phase.name == PhaseName.SECOND_ROOM)
        both = ("both rooms in use", _on_scrape(opening + 15_000))
        return [*sorted([*inside, both], key=lambda moment: moment[1]), ("the end", _on_scrape(self.info.end))]

    def moment(
        self, name: str, at: int, chosen: tuple[str, ...], spaces: tuple[str, ...], *, event_time: bool = False
    ) -> ProofMoment:
        """Return the moment at event time ``at`` for a selection of engines and rooms.

        Args:
            name: Its name.
            at: Event time (ms).
            chosen: The engines selected.
            spaces: The rooms selected.
            event_time: Whether every engine is shown as of that moment, not as of its watermark in a scrape.
        """
        shown = {
            engine: Shown(counted, at if event_time else self._as_of(engine, at), self._covered(engine, at))
            for engine, counted in self.counted.items()
        }
        return ProofMoment(
            name=name,
            at=at,
            info=self.info,
            status=self._status(at, at),
            pace=self._pace(at) * SCRAPE_SECONDS / 10,  # ten seconds ago, the newest scrape was one scrape ago
            engines=shown,
            chosen=chosen,
            spaces=spaces,
            records=_records(self._since(at)),
            rejected=_rejected(self._since(at)),
            work=self._work,
            earlier=lambda: self.moment(name, at - RATE_SECONDS * 1000, chosen, spaces, event_time=event_time),
        )

    def event_time_series(self, moments: Iterable[int] | None = None) -> Iterator[RemoteSeries]:
        """Yield the event-time series of the run, and of a second run in which nothing is the same.

        Args:
            moments: Event times (ms); ``moments()`` if not given.
        """
        at = np.array(sorted(moments or {at for _, at in self.moments()}), np.int64)
        yield from _of_run(self.info, self._nights, at)
        yield from _of_run(another(self.info), dict.fromkeys(self._nights, self._nights[WRONG]), at)

    def series(self, moments: Iterable[int] | None = None) -> AllSeries:
        """Return all series a Prometheus would have scraped from the exporter and the workers.

        Args:
            moments: Event times (ms) of the scrapes; those around ``moments()`` if not given.
        """
        clock = self._clock if moments is None else _as_it_is
        times = sorted(moments or {at for _, moment in self.moments() for at in _scrapes(moment)})
        found = collect(
            ((at, self._view(at, clock(at))) for at in times), leave_out=(m.SCRAPE, m.ROOMS_LEFT_OUT, m.RUN_INFO)
        )
        for (name, labels), value in self._work.items():
            series = found.setdefault(name, {}).setdefault(tuple(sorted(labels)), Series())
            for at in times:
                series.add(at / 1000, value(at / 1000))
        return found

    def _view(self, at: int, clock: int) -> RunView:
        engines = {
            name: EngineView(name, night, self._covered(name, at), {}, drained=True)
            for name, night in self._nights.items()
        }
        since = self._since(at)
        return RunView(self.info, self._status(at, clock), engines, _rejected(since), (), _records(since))

    def _clock(self, at: int) -> int:
        """Return the event time of the replay in a scrape: at a moment its own, before it by the pace of the phase."""
        following = [moment for _, moment in self.moments() if 0 <= moment - at <= _BEFORE[0] * 1000]
        return round(following[0] - self._pace(following[0]) * (following[0] - at)) if following else at

    def _pace(self, moment: int) -> float:
        return PACES[self._phase(moment) % len(PACES)]

    def _phase(self, at: int) -> int:
        return [phase.name for phase in self.info.phases].index(self.info.phase_at(at))

    def _ended(self, at: int) -> bool:
        return at >= _on_scrape(self.info.end)

    def _since(self, at: int) -> float:
        return (at - self.info.start) / 1000

    def _as_of(self, engine: str, at: int) -> int:
        if self._ended(at):
            return (
                self.info.start + ((self.info.end - self.info.start) // self.info.window_ms + 1) * self.info.window_ms
            )
        return at - BEHIND_MS if engine == WRONG else at

    def _covered(self, engine: str, at: int) -> Covered:
        size = {TRUTH: 2.0, GOOD: 3.0, WRONG: 5.0}[engine]
        grown = _grown(self._since(at))
        counts = {topic: round(1e5 * size * share * grown) for topic, share in zip(INPUTS, (1.0, 0.3), strict=True)}
        return Covered(
            watermark=at - BEHIND_MS if engine == WRONG else at,
            ended=self._ended(at),
            events=counts,
            duplicates={topic: count // 7 for topic, count in counts.items()},
            dead_letters={topic: count // 1000 for topic, count in counts.items()},
        )

    def _status(self, at: int, clock: int) -> RunStatus:
        """Return what the replay says in a scrape, with ``clock`` as its event time."""
        phase = self._phase(at)
        return RunStatus(
            v=1,
            run=self.info.run,
            state="ended" if self._ended(at) else "playing",
            at=clock,
            speed=_SPEEDS[phase % 3] * 1.25 if phase % 4 else 0.0,
            actual_speed=_SPEEDS[phase % 3],
            sent=round(1.7e5 * _grown(self._since(at))),
            failed=3 + phase,
            on_time_ratio=0.9 + phase / 200,
            lateness_seconds=0.02 + phase / 100,
            client="kafka-python",
            wall_ms=at - 1_500 - 100 * phase,
        )

    @cached_property
    def _work(self) -> Work:
        """Series of the workers, the broker, the receiver and the exporter itself, each with different values."""
        names = list(_of_the_exporter())
        for metric in m.WORKER_METRICS:
            others = [label for label in metric.labels if label != "engine"]
            for (engine, instance), values in product(_WORKERS, product(*(_VALUES[label] for label in others))):
                named = {"engine": engine, "instance": instance, **dict(zip(others, values, strict=True))}
                names.append((metric, frozenset(named.items())))
        made: dict[tuple[str, Labels], Callable[[float], float]] = {}
        for number, (metric, labels) in enumerate(names, start=1):
            value = _counter if metric.type == "counter" else _gauge
            made[metric.name, labels] = partial(value, number, self.info.start / 1000)
        return made


def _of_run(info: RunInfo, nights: Mapping[str, ResultsView], at: eventtime.Moments) -> Iterator[RemoteSeries]:
    yield from eventtime.of_run(info, at)
    for engine, view in nights.items():
        yield from eventtime.of_engine(info, engine, view, at)


def another(info: RunInfo) -> RunInfo:
    """Return another run of the night, an hour earlier in everything that is constant."""
    hour = 60 * MINUTE_MS
    phases = tuple(msgspec.structs.replace(phase, start=phase.start - hour) for phase in info.phases)
    announced = None if info.announced is None else info.announced - hour
    changed = {"phases": phases, "announced": announced, "talk_start": info.talk_start - 2 * hour}
    return msgspec.structs.replace(info, run=f"{info.run}-another", scenario="another", **changed)


def _of_the_exporter() -> Iterator[tuple[Metric, Labels]]:
    """Yield the series of work served by the exporter, its own cost and the broker's, and those of the receiver."""
    yield m.SCRAPE, frozenset()
    yield m.ROOMS_LEFT_OUT, frozenset()
    yield from ((ALERTS, frozenset(labels.items())) for labels in _ALERTS)
    for metric in (*m.BROKER_METRICS, *RECEIVER_METRICS):
        for values in product(*(_VALUES[label] for label in metric.labels)):
            yield metric, frozenset(zip(metric.labels, values, strict=True))


def _as_it_is(at: int) -> int:
    return at


def _grown(since: float) -> float:
    return math.exp(GROWTH * since)


def _counter(number: int, start: float, at: float) -> float:
    return 1e4 * number * _grown(at - start)


def _gauge(number: int, start: float, at: float) -> float:
    return number + (at - start) / 1e4


def _records(since: float) -> dict[str, int]:
    return {topic: round(1e5 * (2 + place) * _grown(since)) for place, topic in enumerate(_RESULTS)}


def _rejected(since: float) -> dict[tuple[str, str], int]:
    places = enumerate(product(_RESULTS, REASONS))
    return {place: round(number + since // 600) for number, place in places}


def _on_scrape(at: int) -> int:
    return at - at % (SCRAPE_SECONDS * 1000)


def _scrapes(at: int) -> Iterator[int]:
    yield from (at - 1000 * seconds for seconds in _BEFORE)
