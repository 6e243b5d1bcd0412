"""A real replay through Kafka, engine and exporter, scraped while it runs: what the boards show then is what was so.

At a moment inside every phase each query of the night must answer exactly what the oracle says as of the engine's
watermark in that very scrape, each query of the replay what ``run.status`` said, and each query of work must answer.
"""

import contextlib
import math
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NoReturn

import msgspec
import pytest

from dashboards import promql, stored
from joinstorm.boardproof import check
from joinstorm.boardproof.counted import Counted, Rows
from joinstorm.boardproof.momentvalues import ProofMoment, Shown
from joinstorm.oracle.answers import Truth, ask
from joinstorm.prometheus.server import Labels, Prometheus
from joinstorm.run.pipeline import Pipeline, PipelineRequest
from joinstorm.run.supervisor import ChildProcess, Supervisor
from producers.recording import record
from producers.scenario.loading import load
from streams.contract.names import TRUTH
from streams.contract.progress import Covered, ProgressBook
from streams.contract.results import decode_progress, decode_reaction
from streams.contract.runinfo import RunInfo, RunStatus, decode_status
from streams.contract.topics import INPUTS, RESULTS_PROGRESS, RESULTS_REACTION, RUN_STATUS
from streams.errors import EnvironmentMissingError
from streams.exporter.brokermonitor import BrokerMonitor
from streams.exporter.collector import Exporter
from streams.kafka.connection import Connection
from streams.kafka.topicreader import read_all
from streams.metrics.metric import EVENT_TIME, NAMESPACE
from streams.read.reader import ResultReader
from tests.conftest import need_program
from tests.streaming import until

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.slow]
ENGINE = "faust"
SPEED = 30.0
"""Slow: every phase lasts for more scrapes than are needed; what lies between is jumped over."""
BOUND = 1e-9
"""Relative: a difference of two clocks of 2023, in seconds, has lost the last digits of a double."""
REQUIRED = {"open", "melting", "talk", "end", "thread", "the end"}
"""Phases that last for minutes; a short one is looked at where a scrape fell into it."""
SCRAPES = 4
"""Of exporter and of worker, in every phase: rates need two."""
SCRAPED_SECONDS = 60.0
BUSY = "melting"
WORK = re.compile(r"rate\(|joinstorm_(worker|broker|exporter)_")
"""Queries of work, for which there is no oracle."""
PACED = re.compile(r"offset 10s")
"""Queries that look ten seconds back, more than some phases are played here."""
_RUN = re.compile(r'run="\$run"(, *)?')
EMPTY = {"Dead letters by reason", "Result records rejected"}
"""Panels that have nothing to show of a night without faults."""
WALL = {"Last report"}
SILENT_SECONDS = 30.0
"""A replay says how it is doing once a second; far more would be a wrong clock."""
CLOCK = "joinstorm_replay_event_timestamp_seconds"


@dataclass(frozen=True)
class Played:
    """A night that has been played, and the Prometheus that watched."""

    kafka: Connection
    info: RunInfo
    truth: Truth
    prometheus: Prometheus
    until: float
    """When Prometheus had seen the end, seconds since the epoch."""

    @cached_property
    def statuses(self) -> dict[int, RunStatus]:
        """Everything the replay said of itself, by wall clock time."""
        said = [decode_status(one.value) for one in self._records(RUN_STATUS)]
        return {status.wall_ms: status for status in said if status.run == self.info.run}

    @cached_property
    def history(self) -> list[Covered]:
        """How far the engine said it was, after each word of it."""
        book, found = ProgressBook(), [Covered()]
        for one in self._records(RESULTS_PROGRESS):
            said = decode_progress(one.value)
            if (said.run, said.engine) == (self.info.run, ENGINE):
                book.put(said)
                found.append(book.covered(self.info.partitions))
        return found

    @cached_property
    def counted(self) -> dict[str, Counted]:
        """The oracle's counts; the stances are estimates, and the engine's own in its case."""
        newest = {}
        for one in self._records(RESULTS_REACTION):
            said = decode_reaction(one.value)
            if (said.run, said.engine) == (self.info.run, ENGINE):
                newest[said.window, said.subject, said.shard] = said.estimates
        stances: Rows = {}
        for (window, subject, _), estimates in newest.items():
            row = stances.setdefault((window, subject), {})
            for name, value in estimates.items():
                row[name] = row.get(name, 0) + value
        rows = (self.info, self.truth.audience, self.truth.reaction)
        return {TRUTH: Counted(*rows, self.truth.estimates), ENGINE: Counted(*rows, stances)}

    def value(self, name: str, at: float) -> float | None:
        """Return the value of a metric of the exporter, as the scrape at a moment has it."""
        found = self.prometheus.query(f'{name}{{engine=~"|{ENGINE}"}}', at)
        return next(iter(found.values()), None)

    def scrapes(self) -> dict[str, list[float]]:
        """Return the scrapes inside each phase in which the engine was alive, and the last one."""
        clock = [one for series in self._sampled(CLOCK) for one in series]
        watermark = f'joinstorm_engine_watermark_timestamp_seconds{{engine="{ENGINE}"}}'
        alive = {at for series in self._sampled(watermark) for at, _ in series}
        ended = {at for series in self._sampled('joinstorm_replay_state{state="ended"}') for at, v in series if v}
        by_phase: dict[str, list[float]] = {}
        for at, event_time in clock:
            if at in alive - ended:
                by_phase.setdefault(self.info.phase_at(round(event_time * 1000)), []).append(at)
        return {**by_phase, "the end": [at for at, _ in clock[-1:]]}

    def worker_up(self) -> list[tuple[float, float]]:
        """Return when the worker was scraped, and 1 where it answered."""
        return [one for series in self._sampled('up{job="worker"}') for one in series]

    def moment(self, name: str, scraped: float) -> ProofMoment:
        """Return what was so, by the oracle, by Kafka's records and by the engine's watermark in a scrape."""
        said = self.value("joinstorm_replay_status_timestamp_seconds", scraped)
        watermark = self.value("joinstorm_engine_watermark_timestamp_seconds", scraped)
        assert said is not None
        assert watermark is not None
        status, at = self.statuses[round(said * 1000)], round(watermark * 1000)
        whole = status.at if status.state == "playing" else at
        return ProofMoment(
            name=name,
            at=status.at,
            info=self.info,
            status=status,
            pace=1.0,  # read only by queries that look back
            engines={
                TRUTH: Shown(self.counted[TRUTH], whole, Covered()),
                ENGINE: Shown(self.counted[ENGINE], at, self._covered(at, scraped)),
            },
            chosen=(ENGINE,),
            spaces=self.info.spaces,
            records={},
            rejected={},
            work={},
            earlier=_never,
        )

    def _covered(self, watermark: int, scraped: float) -> Covered:
        """Return the engine's word that a scrape shows: its counts must have been said together with its watermark."""
        shown = self.prometheus.query(f'joinstorm_engine_events_total{{engine="{ENGINE}"}}', scraped)
        events = {dict(labels)["topic"]: int(value) for labels, value in shown.items()}
        said = [one for one in self.history if one.events == events and (one.ended or one.watermark == watermark)]
        assert said, f"no word of the engine has {events} at {watermark}"
        return said[0]

    def _sampled(self, selector: str) -> list[list[tuple[float, float]]]:
        return list(self.prometheus.samples(selector, "10m", self.until).values())

    def _records(self, base: str) -> list[Any]:
        return read_all(self.kafka, self.info.topics[base])


def _never() -> NoReturn:
    raise AssertionError("rates are not asked of the oracle here")


@pytest.fixture(scope="module")
def played(kafka: Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Play a small night from phase to phase, at a pace of minutes each, while a Prometheus scrapes it."""
    need_program("prometheus")
    folder = tmp_path_factory.mktemp("played")
    tape = record(load("launch"), folder / "tape.parquet", scale=0.005, seed=1).path
    plan = PipelineRequest(tape=tape, connection=kafka, speed=SPEED, prefix="played.")
    with contextlib.ExitStack() as stack:
        pipeline = Pipeline(plan, stack.enter_context(Supervisor(folder / "logs")))
        info = pipeline.open()
        reader = stack.enter_context(ResultReader(kafka, prefix=plan.prefix, run=plan.run))
        pipeline.start_truth()
        reader.wait_until_drained([TRUTH], 60)
        worker = _metrics_of(pipeline.start_worker(0))
        broker = stack.enter_context(BrokerMonitor(kafka, reader.topics))
        page = stack.enter_context(Exporter(reader, broker.health).serving(0))
        prometheus = stack.enter_context(Prometheus(folder, _config(page.removesuffix("/metrics")[7:], worker)))
        pipeline.start_replay()
        played = partial(Played, kafka, info, ask(tape, info), prometheus)
        look_into_every_phase(pipeline, lambda: played(time.time()))
        for _ in pipeline.views(reader):
            pass
        until(lambda: 1 in prometheus.query("joinstorm_run_ended", time.time()).values(), "the end was not scraped")
        yield played(time.time())


def look_into_every_phase(pipeline: Pipeline, played: Callable[[], Played]) -> None:
    """Stay in every phase until it has been scraped often enough, then play the rest at full speed."""
    until(lambda: _listens(pipeline), "the deck of the replay does not listen")
    deck = pipeline.deck()
    info = played().info
    for phase in info.phases:
        if phase.name in REQUIRED:
            if phase.start > info.start:
                deck.jump(phase.name)
            enough = partial(_scraped, played, phase.name)
            until(enough, f"{SCRAPES} scrapes of {phase.name}", SCRAPED_SECONDS)
    deck.set_speed("max")


def _listens(pipeline: Pipeline) -> bool:
    try:
        pipeline.deck()
    except EnvironmentMissingError:
        return False
    return True


def _scraped(played: Callable[[], Played], phase: str) -> bool:
    now = played()
    scrapes = now.scrapes().get(phase, [])
    return len(scrapes) >= SCRAPES and sum(up and at > scrapes[0] for at, up in now.worker_up()) >= SCRAPES


def _metrics_of(worker: ChildProcess) -> str:
    """Return host and port of a worker's /metrics, which it says when it starts."""
    found: list[int] = []
    until(lambda: bool(found) or _look(worker, found), "the worker does not say where its metrics are", 60)
    return f"127.0.0.1:{found[0]}"


def _look(worker: ChildProcess, found: list[int]) -> bool:
    lines = [line for line in worker.log.read_text().splitlines() if line.startswith("{")]
    found += [msgspec.json.decode(line)["metrics_port"] for line in lines]
    return bool(lines)


def _config(exporter: str, worker: str) -> str:
    return f"""
global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}
scrape_configs:
- {{job_name: exporter, static_configs: [{{targets: ["{exporter}"]}}]}}
- {{job_name: worker, static_configs: [{{targets: ["{worker}"]}}]}}
"""


def _answer(played: Played, query: check.BoardQuery, moment: ProofMoment, scraped: float) -> dict[Labels, float]:
    """Ask Prometheus, as the board does; the labels of the target are left out where there is no sum over them."""
    variables = {**moment.variables, "__rate_interval": "10s"}
    found = played.prometheus.query(promql.fill(_by_wall_clock(query.expr), variables), scraped)
    return {frozenset(one for one in labels if one[0] not in {"instance", "job"}): v for labels, v in found.items()}


def _by_wall_clock(expr: str) -> str:
    """Return a query of event-time series as one of the series that are scraped, which alerts read."""
    return _RUN.sub("", expr.replace(EVENT_TIME, NAMESPACE))


def test_every_query_of_the_night_is_exact_while_it_plays(played: Played) -> None:
    """In every phase and at the end, each panel that has an oracle shows its value as of that scrape."""
    scrapes = played.scrapes()
    assert set(scrapes) >= REQUIRED
    wrong = []
    asked = 0
    for name, times in scrapes.items():
        scraped = times[len(times) // 2]
        moment = played.moment(name, scraped)
        for query in check.queries(stored.boards()):
            expected = check.expectation(query)
            assert expected is not None
            if WORK.search(query.expr) or PACED.search(query.expr) or query.panel in WALL:
                continue
            differs = check.compare(_answer(played, query, moment, scraped), expected(moment), BOUND)
            asked += 1
            wrong += [f"{query}, {name}: {differs}"] if differs else []
    assert wrong == []
    assert asked > 50 * len(REQUIRED)


def test_every_query_of_work_answers_while_it_plays(played: Played) -> None:
    """While the room melts, workers, broker, exporter and clock give every panel of theirs something to show."""
    times = played.scrapes()[BUSY]
    # A busy machine may have missed a scrape of the worker at some of these moments, but not at all of them.
    assert {} in [_silent(played, scraped) for scraped in times], _silent(played, times[len(times) // 2])
    (last_word,) = played.prometheus.query("time() - joinstorm_replay_status_timestamp_seconds", times[-1]).values()
    assert 0 <= last_word < SILENT_SECONDS


def test_lag_is_by_the_pace_at_which_event_time_passed(played: Played) -> None:
    """At the end, minutes after the start, no engine lags, in seconds of wall clock as well."""
    (scraped,) = played.scrapes()["the end"]
    moment = played.moment("the end", scraped)
    paced = [query for query in check.queries(stored.boards()) if PACED.search(query.expr)]
    assert {query.panel for query in paced} == {"Lag in wall-clock seconds"}
    for query in paced:
        assert list(_answer(played, query, moment, scraped).values()) == [0]


def _silent(played: Played, scraped: float) -> dict[str, dict[Labels, float]]:
    """Return the queries of work that do not answer, or not as they should, in a scrape."""
    moment = played.moment(BUSY, scraped)
    silent = {}
    for query in check.queries(stored.boards()):
        if WORK.search(query.expr) or query.panel in WALL:
            answer = _answer(played, query, moment, scraped)
            fine = all(math.isfinite(value) and value >= 0 for value in answer.values())
            if not fine or bool(answer) == (query.panel in EMPTY):
                silent[str(query)] = answer
    return silent


def test_the_broker_is_shown_as_kafka_has_it(played: Played) -> None:
    """The records written to the input topics are the tape's events and a mark per step; nothing was deleted."""
    sent = {base: len(read_all(played.kafka, played.info.topics[base])) for base in INPUTS}
    assert sum(sent.values()) > played.info.events
    for name in ("joinstorm_broker_written_records_total", "joinstorm_broker_kept_records"):
        until(lambda name=name: _by_topic(played, name) == sent, f"{name} {sent}")  # type: ignore[misc]  # bound now


def _by_topic(played: Played, name: str) -> dict[str, float]:
    """Return what a metric of the input topics says now."""
    answer = {dict(labels)["topic"]: value for labels, value in played.prometheus.query(name, time.time()).items()}
    return {base: answer[base] for base in INPUTS if base in answer}  # a busy broker misses a look
