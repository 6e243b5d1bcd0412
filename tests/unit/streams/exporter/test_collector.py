"""What the exporter serves, from results to samples."""

import math
import re
import socket
import urllib.request
from collections.abc import Iterable, Iterator

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from streams.contract.names import ALL
from streams.contract.results import AudienceResult, Progress, ReactionResult, Result, encode
from streams.contract.runinfo import RunInfo, RunStatus
from streams.contract.topics import INPUTS, RESULTS_AUDIENCE, RESULTS_PROGRESS, RESULTS_REACTION
from streams.errors import EnvironmentMissingError
from streams.exporter.collector import Exporter
from streams.exporter.samples import reaction_at
from streams.metrics import definitions as metrics
from streams.metrics.definitions import EXPORTER_METRICS, WORKER_METRICS
from streams.metrics.labels import BOUNDS, TOP_ROOMS
from streams.metrics.metric import Metric
from streams.read.runview import RunState, RunView
from tests.nights import START, WINDOW, run_info


class Fixed:
    """A source that always returns the same view."""

    def __init__(self, view: RunView) -> None:
        self.view = view

    def snapshot(self) -> RunView:
        """Return the view."""
        return self.view


def status(at: int, state: str = "playing") -> RunStatus:
    """Return a replay's status."""
    return msgspec.convert(
        {
            "v": 1, "run": "run-1", "state": state, "at": at, "speed": 60.0, "actual_speed": 59.5, "sent": 90,
            "failed": 1, "on_time_ratio": 0.995, "lateness_seconds": 0.012, "client": "aiokafka", "wall_ms": 1_000,
        },
        RunStatus,
    )  # fmt: skip


def results(engine: str, *, joins: int = 4) -> Iterator[Result]:
    """Yield an engine's records for twenty windows, with ``joins`` in the fifth."""
    for k in range(20):
        at = START + k * WINDOW
        counts = {"attempts": 5, "arrivals": 4, "joins": joins if k == 4 else 4, "fails": 1, "drops": 1, "leaves": 1}
        yield AudienceResult(1, "run-1", engine, at, "first", "0", 1, counts)
        yield AudienceResult(1, "run-1", engine, at, ALL, "0", 1, {"first_joins": 3, "waited_20m": 1})
        tags = {"hashtag:night": 2, f"hashtag:t{k:02}": 1}
        tweets = {"posts": 1, "replies": 2, "reposts": 1, "thread_reposts": 1, **tags}
        yield ReactionResult(1, "run-1", engine, at, "announcement", "0", 1, tweets, {"stance:thanks": 3})


def progress(engine: str, watermark: int, *, ended: bool) -> Iterator[Progress]:
    """Yield how far an engine is."""
    for topic in INPUTS:
        yield Progress(1, "run-1", engine, topic, "0", (0, 1), 1, watermark, ended, 40, 3, 2)


def view(
    records: Iterable[Result | Progress], replayed: RunStatus | None = None, info: RunInfo | None = None
) -> RunView:
    """Return the view of a run with these records, the truth drained."""
    state = RunState(info or run_info())
    topics = {AudienceResult: RESULTS_AUDIENCE, ReactionResult: RESULTS_REACTION, Progress: RESULTS_PROGRESS}
    for record in records:
        state.accept(topics[type(record)], encode(record))
    for engine in state.ended():
        state.mark_drained(engine)
    return RunView(
        info=state.info, status=replayed, engines=state.engines(), rejected={(RESULTS_AUDIENCE, "not_json"): 2},
        records={RESULTS_AUDIENCE: 7},
    )  # fmt: skip


def a_night(*, joins: int = 4) -> RunView:
    """Return a night of which the engine e has seen fifty seconds and the replay sixty; the truth knows all of it."""
    return view(
        [
            *results("truth"),
            *progress("truth", START + 20 * WINDOW, ended=True),
            *results("e", joins=joins),
            *progress("e", START + 10 * WINDOW, ended=False),
        ],
        status(START + 12 * WINDOW),
    )


class Page:
    """The samples of one scrape."""

    def __init__(self, seen: RunView, rooms: int = TOP_ROOMS) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(Exporter(Fixed(seen), rooms=rooms))

    def __call__(self, metric: Metric, *labels: str) -> float | None:
        """Return a sample's value, None when it is not there."""
        return self.registry.get_sample_value(metric.name, dict(zip(metric.labels, labels, strict=True)))


def test_the_launch_is_shown_as_of_the_engines_watermark() -> None:
    """Ten windows are behind the watermark: sums run over them, last-minute values over the last sixty seconds."""
    page = Page(a_night())
    assert page(metrics.AUDIENCE, "e", "first") == 20
    assert page(metrics.AUDIENCE, "e", "second") == 0
    assert page(metrics.AUDIENCE_PEAK, "e", "first") == 20
    assert page(metrics.AUDIENCE_PEAK_TIME, "e", "first") == (START + 10 * WINDOW) / 1000
    assert page(metrics.PRESENCE, "e", "first", "join") == 40
    assert page(metrics.PRESENCE_MINUTE, "e", "first", "attempt") == 50
    assert page(metrics.WAITING, "e") == 10
    assert page(metrics.WAITED, "e") == 10
    assert page(metrics.DISTINCT_LISTENERS, "e", ALL) == 30
    assert page(metrics.DROP_RATIO, "e", "first") == 10 / 40
    assert page(metrics.JOIN_SUCCESS, "e", "first") == 40 / 50
    assert page(metrics.DROP_RATIO, "e", "second") is None
    assert page(metrics.JOIN_SUCCESS, "e", "second") is None


@pytest.mark.parametrize(("rooms", "shown"), [(0, set()), (1, {"first"}), (2, {"first", "second"}), (9, None)])
def test_only_the_most_visited_rooms_have_series(rooms: int, shown: set[str] | None) -> None:
    """A page says how many rooms are left out; waiting people, errors and distinct listeners include all rooms."""
    page = Page(a_night(joins=3), rooms)
    spaces = {sample.labels["space"] for family in page.registry.collect() for sample in family.samples
              if "space" in sample.labels} - {ALL}  # fmt: skip
    assert spaces == (shown if shown is not None else {"first", "second"})
    assert page(metrics.ROOMS_LEFT_OUT) == max(0, 2 - rooms)
    assert page(metrics.AUDIENCE_ERROR, "e", "first") == (-1 if rooms else None)
    whole = Page(a_night(joins=3))
    for metric, labels in (
        (metrics.WAITING, ["e"]),
        (metrics.DISTINCT_LISTENERS, ["e", ALL]),
        (metrics.ERROR_MAX, ["e", "joins"]),
        (metrics.ERROR_SUM, ["e", "joins"]),
    ):
        assert page(metric, *labels) == whole(metric, *labels)


def test_tweets_stances_hashtags_and_authors() -> None:
    """Tweets by subject; of the hashtags the ten most used ones, so that the label stays bounded."""
    page = Page(a_night())
    assert page(metrics.TWEETS, "e", "announcement", "reply") == 20
    assert page(metrics.TWEETS_MINUTE, "e", "announcement", "post") == 10
    assert page(metrics.STANCES, "e", "announcement", "thanks") == 30
    assert page(metrics.STANCES_MINUTE, "e", "announcement", "mockery") == 0
    assert page(metrics.THREAD_REPOSTS, "e") == 10
    assert page(metrics.HASHTAGS, "e", "night") == 20
    assert page(metrics.HASHTAGS, "e", "t08") == 1
    assert page(metrics.HASHTAGS, "e", "t09") is None
    assert page(metrics.AUTHORS, "e", ALL) == 0


def test_the_truth_keeps_pace_with_the_replay_and_the_error_with_the_engine() -> None:
    """The truth is shown as of the replay; the engine's error compares both as of the engine's watermark."""
    page = Page(a_night())
    assert page(metrics.AUDIENCE, "truth", "first") == 24
    assert page(metrics.AUDIENCE_ERROR, "e", "first") == 0
    assert page(metrics.ERROR_MAX, "e", "joins") == 0
    assert page(metrics.ERROR_MAX, "truth", "joins") is None


def test_an_engines_error_is_served_by_value() -> None:
    """Two joins too many in one window: the error of joins, of the audience and of the waiting, and no other."""
    page = Page(a_night(joins=6))
    assert page(metrics.AUDIENCE_ERROR, "e", "first") == 2
    errors = {
        value: page(metrics.ERROR_MAX, "e", value) for value in ("joins", "audience", "waiting", "drops", "posts")
    }
    assert errors == {"joins": 2, "audience": 2, "waiting": 2, "drops": 0, "posts": 0}
    assert page(metrics.ERROR_SUM, "e", "joins") == 2
    assert page(metrics.ERROR_SUM, "e", "hashtags") == 0


def test_without_the_whole_truth_no_error_is_served() -> None:
    """An error against half a truth would be wrong."""
    half = [*results("truth"), *progress("truth", START, ended=False), *results("e"), *progress("e", START, ended=True)]
    assert Page(view(half))(metrics.ERROR_MAX, "e", "joins") is None


def test_the_run_and_its_replay() -> None:
    """Run, phases, event time, speed asked and actual, lateness and state; one series each."""
    page = Page(a_night())
    assert page(metrics.RUN_INFO, "run-1", "quiet", "0.01", "1", "abababababab") == 1
    assert page(metrics.PHASE, "melting") == 1
    assert page(metrics.PHASE, "open") == 0
    assert page(metrics.PHASE_START, "talk") == (START + 100_000) / 1000
    assert page(metrics.REPLAY_TIME) == (START + 12 * WINDOW) / 1000
    assert (page(metrics.REPLAY_TARGET_SPEED), page(metrics.REPLAY_SPEED)) == (60, 59.5)
    assert (page(metrics.REPLAY_LATENESS), page(metrics.REPLAY_ON_TIME)) == (0.012, 0.995)
    assert (page(metrics.REPLAY_RECORDS, "sent"), page(metrics.REPLAY_RECORDS, "failed")) == (90, 1)
    assert (page(metrics.REPLAY_STATE, "playing"), page(metrics.REPLAY_STATE, "ended")) == (1, 0)
    assert page(metrics.RUN_ENDED) == 0


def test_engines_are_told_apart_by_what_they_have_done() -> None:
    """Watermark, lag in event time, progress, events, duplicates and dead letters."""
    page = Page(a_night())
    assert page(metrics.WATERMARK, "e") == (START + 10 * WINDOW) / 1000
    assert page(metrics.LAG, "e") == 2 * WINDOW / 1000
    assert page(metrics.LAG, "truth") == 0
    assert page(metrics.PROGRESS, "e") == 0.8
    assert page(metrics.ENGINE_EVENTS, "e", "tweets") == 40
    assert page(metrics.DUPLICATES, "e", "tweets") == 3
    assert page(metrics.DEAD_LETTERS, "e", "space.presence") == 2
    assert (page(metrics.ENGINE_ENDED, "e"), page(metrics.ENGINE_ENDED, "truth")) == (0, 1)
    assert page(metrics.READ_RECORDS, RESULTS_AUDIENCE) == 7
    assert page(metrics.REJECTED_RECORDS, RESULTS_AUDIENCE, "not_json") == 2


def test_a_run_without_a_status_goes_by_the_furthest_watermark() -> None:
    """Somebody else's producer need not write run.status."""
    page = Page(view([*results("e"), *progress("e", START + 3 * WINDOW, ended=False)]))
    assert page(metrics.REPLAY_TIME) == (START + 3 * WINDOW) / 1000
    assert page(metrics.REPLAY_SPEED) is None


def test_before_any_run_every_family_is_there_and_empty() -> None:
    """A page without a run names all metrics, so that a query is never unknown, and has no values."""
    registry = CollectorRegistry()
    registry.register(Exporter(Fixed(RunView())))
    families = {family.name: family for family in registry.collect()}
    assert list(families) == [metric.name.removesuffix("_total") for metric in EXPORTER_METRICS]
    assert [family.name for family in families.values() if family.samples] == ["joinstorm_exporter_scrape_seconds"]


def test_the_reaction_is_estimated_once_there_is_a_baseline() -> None:
    """Uplift, excess and half-life with their intervals, from two hours before the announcement on."""
    hour = 60 * 60_000
    info = msgspec.structs.replace(run_info(), end=START + 6 * hour, announced=START + 3 * hour)
    windows = 6 * hour // WINDOW
    posts = [9 if k == windows // 2 else int(k % 7 == 0) for k in range(windows)]
    tweets = [
        ReactionResult(1, "run-1", "e", START + k * WINDOW, "announcement", "0", 1, {"posts": number})
        for k, number in enumerate(posts)
    ]
    seen = view([*tweets, *progress("e", info.end, ended=True)], info=info)
    page = Page(seen)
    value, low, high = (page(metrics.EXCESS, "e", bound) or math.nan for bound in BOUNDS)
    assert low < value < high
    uplift = page(metrics.UPLIFT, "e", "estimate")
    assert uplift is not None
    assert 0.9 < uplift < 1.3
    assert page(metrics.BASELINE, "e") == pytest.approx(12 / 7, rel=0.1)
    night = seen.engines["e"].results
    assert reaction_at(info, night, night.grid.until(START + 3 * hour)) is None
    assert reaction_at(msgspec.structs.replace(info, announced=START + hour), night, windows) is None
    assert reaction_at(msgspec.structs.replace(info, announced=None), night, windows) is None


def test_a_page_over_http_is_what_prometheus_reads() -> None:
    """The page parses, and every family has its type and help."""
    with Exporter(Fixed(a_night())).serving(0) as url:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/metrics", url)
        text = urllib.request.urlopen(url).read().decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    for metric in EXPORTER_METRICS:
        family = families[metric.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (metric.type, metric.help)


def test_a_taken_port_is_an_error_that_names_the_option() -> None:
    """If the port is in use, the error names the option to change."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(EnvironmentMissingError, match=rf"127\.0\.0\.1:{port}.*--port"),
            Exporter(Fixed(RunView())).serving(port, option="--port"),
        ):
            pass


@pytest.mark.parametrize("metric", [*EXPORTER_METRICS, *WORKER_METRICS], ids=lambda metric: str(metric.name))
def test_metrics_are_named_as_prometheus_has_it(metric: Metric) -> None:
    """Base units in the name, _total on counters alone, bounded labels, a sentence of help."""
    assert re.fullmatch(r"joinstorm_[a-z0-9_]+", metric.name)
    assert metric.name.endswith("_total") == (metric.type == "counter")
    if metric.unit in ("seconds", "ratio"):
        assert metric.name.removesuffix("_total").endswith(f"_{metric.unit}")
    assert not re.search(r"_(ms|millis|minutes|percent)(_|$)", metric.name)
    assert not {"listener", "author", "person", "tweet", "user", "window"} & set(metric.labels)
    assert metric.meaning.endswith(".")
    assert metric.formula
    assert metric.window


def test_metric_names_are_unique() -> None:
    """A name means one thing."""
    names = [metric.name for metric in (*EXPORTER_METRICS, *WORKER_METRICS)]
    assert len(names) == len(set(names))
