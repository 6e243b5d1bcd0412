"""Engine ``faust-tables``: agents and tables as Faust's manual teaches them; the baseline, not the example.

One agent per topic, one event at a time, state in tables whose changelogs Faust keeps. Faust promises that every event
is processed at least once: after a crash or a rebalance events since the last commit come again and are counted
again, and a duplicate counts twice. So a calm night on a quiet broker is exact, and every fault shows as an error
next to the truth: that is what this engine is for (docs/engines.md).
"""

import asyncio
import contextlib
import logging
import time
from typing import Any, ClassVar, Final, TypeAlias

import faust
from kafka.errors import KafkaError, TopicAlreadyExistsError
from msgspec.structs import replace

from streams.contract import results
from streams.contract.events import Mark, MarkKind
from streams.contract.results import Progress
from streams.contract.topics import INPUTS, RESULTS_PROGRESS
from streams.engines.abstract import Engine, Summary, WorkerSettings
from streams.engines.faust.consumerthread import DaemonTransport
from streams.engines.faust.runmonitor import RunMonitor
from streams.engines.faust.session import (
    app_settings,
    brokers,
    group_of,
    signals,
    start_app,
    stop_app,
    tasks_of,
    wait_for_end,
)
from streams.engines.shared import simplefold as simple
from streams.errors import DecodeError
from streams.kafka.admin import failed, open_admin
from streams.kafka.patience import patiently
from streams.system.scratch import scratch

log = logging.getLogger(__name__)

PUBLISH_SECONDS: Final = 0.5
Shard: TypeAlias = tuple[str, int]
"""Base name of an input topic, and partition."""


class FaustTablesEngine(Engine):
    """A stock Faust app; see the module's text."""

    name: ClassVar[str] = "faust-tables"

    def group(self, settings: WorkerSettings) -> str:
        """Return the group of the Faust app."""
        return group_of(settings)

    def run(self, settings: WorkerSettings) -> Summary:
        """Work until the run is done or a signal asks to stop."""
        logging.getLogger("faust.transport.producer").setLevel(logging.ERROR)  # it logs every wait for Kafka
        with scratch("faust-tables") as folder:
            return patiently(lambda: _work(settings, str(folder)))


def _work(settings: WorkerSettings, folder: str) -> Summary:
    worker = _TablesWorker(settings, folder)
    worker.make_changelogs()
    return asyncio.run(worker.run())


class _TablesWorker:
    def __init__(self, settings: WorkerSettings, folder: str) -> None:
        self._settings, self._info = settings, settings.info
        self._app = faust.App(**app_settings(settings, folder), topic_partitions=self._info.partitions)
        self._app.transport = DaemonTransport(brokers(settings), self._app)
        self._people, self._rows, self._progress = (self._table(base) for base in ("people", "rows", "progress"))
        self._monitor = RunMonitor(settings.connection, self._info, settings.engine)
        self._changed: dict[str, int] = {}
        """Rows to be published, and the offset they are as of."""
        self._reported: set[Shard] = set()
        self._counted = self._put_aside = 0
        self._first = self._last = 0.0
        for base in INPUTS:
            topic = self._app.topic(
                self._info.names().input(base), key_type=bytes, value_type=bytes, value_serializer="raw"
            )
            self._app.agent(topic, name=base)(self._agent_of(base))
        self._app.timer(PUBLISH_SECONDS)(self._publish)

    def _table(self, name: str) -> Any:
        return self._app.Table(name, default=dict, partitions=self._info.partitions)

    def make_changelogs(self) -> None:
        """Create the tables' changelog topics and wait for them.

        Faust would create them, too, but takes a topic that is still in the making for one without partitions, and
        then every agent fails on every event.
        """
        with contextlib.closing(open_admin(self._settings.connection)) as admin:
            topic = {
                "num_partitions": self._info.partitions,
                "replication_factor": 1,
                "configs": {"cleanup.policy": "compact"},
            }
            names = [table.changelog_topic_name for table in (self._people, self._rows, self._progress)]
            try:
                admin.create_topics(dict.fromkeys(names, topic), wait_for_metadata=True)
            except TopicAlreadyExistsError:  # an earlier or a parallel worker
                admin.wait_for_topics(names)
            except KafkaError as error:
                raise failed(self._settings.connection, "cannot create the changelogs", error) from error

    async def run(self) -> Summary:
        stop = asyncio.Event()
        self._app.in_worker = True
        self._app.finalize()
        self._monitor.want_end()
        with signals(stop):
            async with tasks_of(self._monitor.follow()) as tasks:
                try:
                    await start_app(self._app, self._settings.connection)
                    ended = await wait_for_end(self._app, stop, self._done(), tasks)
                finally:
                    await stop_app(self._app)
        seconds = self._last - self._first
        return Summary(ended, self._counted, 0, self._put_aside, seconds, time.process_time())

    async def _done(self) -> None:
        await self._monitor.ended.wait()

    def _agent_of(self, base: str) -> Any:
        async def agent(stream: Any) -> None:
            async for event in stream.events():
                self._take((base, event.message.partition), event.message.offset, event.value)

        return agent

    def _take(self, shard: Shard, offset: int, raw: bytes) -> None:
        self._last = time.monotonic()
        self._first = self._first or self._last
        progress = {"events": 0, "dead_letters": 0, **self._progress[_key(*shard)]}
        try:
            event = simple.decode(shard[0], raw or b"", self._info)
        except DecodeError as error:
            log.info("%s[%d]@%d put aside: %s", *shard, offset, error)
            self._put_aside += 1
            progress["dead_letters"] += 1
        else:
            if isinstance(event, Mark):
                progress["watermark"] = max(event.at, progress.get("watermark", event.at))
                progress["ended"] = event.mark is MarkKind.END
            else:
                progress["events"] += 1
                self._count(shard, offset, event)
        self._progress[_key(*shard)] = {**progress, "offset": offset}
        self._reported.add(shard)

    def _count(self, shard: Shard, offset: int, event: Any) -> None:
        self._counted += 1
        key = _key(*shard, simple.person_of(event))
        person = dict(self._people[key])
        for table, window, name, count, by in simple.changes(person, event, self._info):
            row = _key(*shard, table, window, name)
            counts = self._rows[row]
            self._rows[row] = {**counts, count: counts.get(count, 0) + by}
            self._changed[row] = offset + 1
        self._people[key] = person

    async def _publish(self) -> None:
        changed, self._changed = self._changed, {}
        reported, self._reported = self._reported, set()
        # Both as of this moment: while records are sent, agents go on.
        rows = [self._result_of(key, version) for key, version in changed.items()]
        progress = [self._progress_of(*shard) for shard in reported]
        for table, result in rows:
            await self._send(table, results.key_of(result), results.encode(result))
        await self._app.producer.flush()
        for record in progress:
            await self._send(RESULTS_PROGRESS, results.key_of(record), results.encode(record))

    def _result_of(self, key: str, version: int) -> tuple[str, results.Result]:
        _, partition, table, window, name = key.split("|", 4)
        row = (table, int(window), name)
        return table, simple.result(self._info, self._settings.engine, row, partition, version, dict(self._rows[key]))

    def _progress_of(self, base: str, partition: int) -> Progress:
        found = self._progress[_key(base, partition)]
        return replace(
            Progress.of_partition(self._info.run, self._settings.engine, base, partition),
            version=found["offset"] + 1,
            watermark=found.get("watermark"),
            ended=found.get("ended", False),
            events=found["events"],
            dead_letters=found["dead_letters"],
        )

    async def _send(self, base: str, key: bytes, value: bytes) -> None:
        producer = self._app.producer
        await producer.send(self._info.names().shared(base), key, value, 0, None, None)


def _key(*parts: object) -> str:
    """Return a key of a table: a partition is part of it, as one worker holds the rows of several."""
    return "|".join(map(str, parts))
