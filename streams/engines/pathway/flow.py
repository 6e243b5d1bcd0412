"""The engine ``pathway``: the counts as tables that Pathway keeps up to date, as its manual shows.

Nothing here deals with order, lateness or corrections: a count is a ``groupby``, a first time a ``min``, and Pathway
handles the effects of a late event. It keeps everything in memory and persists nothing, so a restart reads the night
again from the first record.
"""

import contextlib
import itertools
import threading
import time
import uuid
from typing import Any, Final

import pathway as pw

from streams.contract.names import ALL
from streams.contract.results import decode_audience, decode_reaction
from streams.contract.runinfo import RunInfo
from streams.contract.topics import PRESENCE, RESULTS_AUDIENCE, RESULTS_REACTION, TWEETS
from streams.engines.abstract import Summary, WorkerSettings
from streams.engines.pathway.counts import DEAD_LETTER, PathwayCounts
from streams.engines.pathway.rows import NONE, Fact, Row, row_of, wait_end, waited_window
from streams.engines.shared.resultswriter import ResultsWriter
from streams.engines.shared.stopping import stop_signals
from streams.engines.shared.topicreading import already_done, read_to_end
from streams.errors import ContractError, EngineError

BATCH_MS: Final = 250
BACKLOG: Final = 50_000
"""Most records in flight in Pathway; without a limit, a night already in Kafka would be read into memory at once."""
BEAT_SECONDS: Final = 0.2
POLL_SECONDS: Final = 0.1


class EndedError(Exception):
    """Leaves Pathway's loop, which offers no other way: the run is done, or the worker is asked to stop."""


def run(settings: WorkerSettings) -> Summary:
    """Work until every partition has ended or a signal asks to stop.

    Raises:
        EngineError: This would be a second worker, or Pathway has failed.
        BrokerError: The result topics cannot be read.
    """
    if settings.worker:
        raise EngineError(f"{settings.engine}: only one process; Pathway fixes their number when it starts")
    if already_done(settings):
        return Summary(ended=True)
    counts = PathwayCounts(settings.info, settings.engine)
    _read_written(settings, counts)
    failed: list[BaseException] = []
    with stop_signals() as stop:
        times = build(settings, counts, stop)
        loop = threading.Thread(target=_loop, args=(failed,), name="pathway", daemon=True)
        loop.start()  # in a thread, because signals reach only the main thread, and only while it runs Python
        while loop.is_alive():
            loop.join(POLL_SECONDS)
    if failed and not isinstance(failed[0], EndedError):
        raise EngineError(f"{settings.engine}: {failed[0]}") from failed[0]
    return Summary(
        ended=counts.ended,
        events=counts.events,
        duplicates=counts.uncounted,
        dead_letters=counts.dead_letters,
        seconds=times[-1] - times[0],
        cpu_seconds=time.process_time(),
    )


def _read_written(settings: WorkerSettings, counts: PathwayCounts) -> None:
    """Read the results that earlier workers have written for this run."""
    prefix = f'["{settings.info.run}","{settings.engine}",'.encode()
    for base, decode in ((RESULTS_AUDIENCE, decode_audience), (RESULTS_REACTION, decode_reaction)):

        def accept(key: bytes | None, value: bytes | None, decode: Any = decode) -> None:
            if key and value and key.startswith(prefix):
                with contextlib.suppress(ContractError):
                    counts.accept_written(decode(value))

        read_to_end(settings, base, accept)


def _loop(failed: list[BaseException]) -> None:
    try:
        pw.run(monitoring_level=pw.MonitoringLevel.NONE, default_logging=False)
    except BaseException as error:  # noqa: BLE001 - raised again by the caller
        failed.append(error)


def build(settings: WorkerSettings, counts: PathwayCounts, stop: threading.Event) -> list[float]:
    """Build the tables and their output; returns a list to which the time of every batch is appended."""
    info, writer = settings.info, ResultsWriter(settings)
    times = [time.monotonic()]
    tables = []
    for base, about in ((PRESENCE, RESULTS_AUDIENCE), (TWEETS, RESULTS_REACTION)):
        rows = read(settings, base)
        distinct = rows.filter(rows.event_id >= 0).groupby(pw.this.shard, pw.this.event_id).reduce(
            pw.this.shard, fact=pw.reducers.argmin(pw.this.next_place, pw.this.fact))  # fmt: skip
        counted = [*progress(rows, distinct, base), *results(distinct, info, about)]
        tables += [one.with_columns(data=b"") for one in counted]
        tables.append(rows.filter(rows.reason != "").select(
            about=base, shard=pw.this.shard, window=pw.this.next_place, name=pw.this.reason, measure=DEAD_LETTER, n=1,
            data=pw.this.data))  # fmt: skip

    def batch_end(_: int) -> None:
        out = counts.take_batch()
        if out:
            times.append(time.monotonic())
            writer.write(out)
        if counts.ended or stop.is_set():
            raise EndedError

    beats = pw.io.python.read(_Beats(stop), schema=_Beat, autocommit_duration_ms=int(BEAT_SECONDS * 500))
    tables.append(beats.groupby().reduce(n=pw.reducers.max(pw.this.n)).select(
        about="", shard=0, window=NONE, name="", measure="", n=pw.this.n, data=b""))  # fmt: skip

    def changed(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:  # noqa: ARG001 - Pathway's names
        if row["about"]:
            counts.accept(row, is_addition=is_addition)

    # All in one table: the changes of two tables at one time arrive in no order, and the last batch ends the run.
    pw.io.subscribe(pw.Table.concat_reindex(*tables), on_change=changed, on_time_end=batch_end)
    return times


class _Beat(pw.Schema):  # type: ignore[misc]  # typed only if Pathway is installed
    n: int


class _Beats(pw.io.python.ConnectorSubject):  # type: ignore[misc]  # typed only if Pathway is installed
    """A heartbeat, so that batches end and a stop is noticed even while no records arrive."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self._stop = stop

    def run(self) -> None:
        for n in itertools.count():
            stopped = self._stop.wait(BEAT_SECONDS)
            self.next(n=n)
            if stopped:
                return


def read(settings: WorkerSettings, base: str) -> Any:
    """Return the table of an input topic's records (see ``rows.Row``), with ``shard`` and ``data``."""
    info = settings.info
    kafka = {
        **settings.connection.for_librdkafka(),
        "group.id": f"{settings.engine}-{uuid.uuid4().hex}",  # a killed worker's group holds its partitions
        "auto.offset.reset": "earliest",
        "enable.auto.commit": "false",
        "fetch.wait.max.ms": "50",
    }
    messages = pw.io.kafka.read(
        kafka,
        topic=info.topics[base],
        format="raw",
        autogenerate_key=True,
        with_metadata=True,
        autocommit_duration_ms=BATCH_MS,
        max_backlog_size=BACKLOG,
    )

    @pw.udf(deterministic=True)  # type: ignore[untyped-decorator]
    def decoded(raw: bytes | None, place: pw.Json) -> tuple[int, int, int, Fact, int, int, int, str]:
        found = place.value
        return found["partition"], *row_of(base, raw, found["offset"], info)

    rows = messages.select(pw.this.data, row=decoded(pw.this.data, pw.this["_metadata"]))
    names = ("shard", *Row._fields)
    return rows.select(pw.this.data, **{name: pw.this.row[i] for i, name in enumerate(names)})


def results(distinct: Any, info: RunInfo, about: str) -> list[Any]:
    """Return the counts of one result topic, as tables with the columns of ``CountKey`` and ``n``."""
    names = ("person", "at", "window", "name", "measures", "firsts", "tried", "joined", "left")
    facts = distinct.select(pw.this.shard, **{name: pw.this.fact[i] for i, name in enumerate(names)})

    plain = facts.select(pw.this.shard, pw.this.window, pw.this.name, measure=pw.this.measures).flatten(pw.this.measure)
    earliest = (
        facts.select(pw.this.shard, pw.this.person, pw.this.at, name=pw.this.firsts)
        .flatten(pw.this.name)
        .groupby(pw.this.shard, pw.this.person, pw.this.name)
        .reduce(pw.this.shard, pw.this.name, at=pw.reducers.min(pw.this.at))
    )
    width, first = info.window_ms, "first_joins" if about == RESULTS_AUDIENCE else "first_authors"
    firsts = earliest.select(pw.this.shard, window=pw.this.at - pw.this.at % width, name=pw.this.name, measure=first)
    found = [plain, firsts]
    if about == RESULTS_AUDIENCE:
        found += _waits(facts, info)
    return [_counted(one, about) for one in found]


def _waits(facts: Any, info: RunInfo) -> list[Any]:
    people = facts.groupby(pw.this.shard, pw.this.person).reduce(
        pw.this.shard, tried=pw.reducers.min(pw.this.tried), joined=pw.reducers.min(pw.this.joined),
        left=pw.reducers.min(pw.this.left))  # fmt: skip

    @pw.udf(deterministic=True)  # type: ignore[untyped-decorator]
    def window(tried: int, left: int) -> int:
        return waited_window(tried, left, info)

    @pw.udf(deterministic=True)  # type: ignore[untyped-decorator]
    def end(tried: int, joined: int, left: int) -> tuple[int, str]:
        return wait_end(tried, joined, left, info)

    waits = people.select(pw.this.shard, window=window(pw.this.tried, pw.this.left), name=ALL, measure="waited_20m")
    ends = people.select(pw.this.shard, end=end(pw.this.tried, pw.this.joined, pw.this.left))
    ends = ends.select(pw.this.shard, window=pw.this.end[0], name=ALL, measure=pw.this.end[1])
    return [one.filter(one.window != NONE) for one in (waits, ends)]


def _counted(rows: Any, about: str) -> Any:
    counted = rows.groupby(pw.this.shard, pw.this.window, pw.this.name, pw.this.measure).reduce(
        pw.this.shard, pw.this.window, pw.this.name, pw.this.measure, n=pw.reducers.count())  # fmt: skip
    return counted.select(
        about=about, shard=pw.this.shard, window=pw.this.window, name=pw.this.name, measure=pw.this.measure, n=pw.this.n
    )


def progress(rows: Any, distinct: Any, base: str) -> list[Any]:
    """Return the progress counts of an input topic's partitions, in the same form; see ``UpsertCounts``."""
    known = rows.groupby(pw.this.shard).reduce(
        pw.this.shard,
        next_place=pw.reducers.max(pw.this.next_place),
        records=pw.reducers.count(),
        dead_letters=pw.reducers.sum(pw.if_else(pw.this.reason != "", 1, 0)),
        marks=pw.reducers.sum(pw.this.mark),
        ends=pw.reducers.sum(pw.this.end),
        watermark=pw.reducers.max(pw.this.watermark),
    )
    counted = distinct.groupby(pw.this.shard).reduce(pw.this.shard, events=pw.reducers.count())
    measures = dict.fromkeys(("next_place", "records", "dead_letters", "marks", "ends"), known)
    found = {**measures, "watermark": known.filter(known.watermark != NONE), "events": counted}
    return [
        one.select(about=base, shard=pw.this.shard, window=NONE, name="", measure=measure, n=one[measure])
        for measure, one in found.items()
    ]
