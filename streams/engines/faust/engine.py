"""Engine ``faust``: one agent over whole record batches, state in memory, checkpoints in Kafka.

Faust brings the consumer group, its rebalances and the life of the worker; ``streams.engines.faust.transport`` hands
its agent chunks, ``streams.engines.faust.worker`` does the work. Why not tables or Faust's transactions:
docs/engines.md.
"""

import asyncio
import contextlib
import gc
import logging
import os
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, ClassVar, Final

import faust
import msgspec
from faust.types import TP

from streams.contract.topics import CHECKPOINTS
from streams.engines.abstract import Engine, Summary, WorkerSettings
from streams.engines.faust.chunks import Chunk
from streams.engines.faust.partitions import MissingRecordsError, Place
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
from streams.engines.faust.transport import ChunkTransport, Hooks, NoTables
from streams.engines.faust.worker import FaustWorker
from streams.engines.faust.workermetrics import Surroundings, serve
from streams.errors import EngineError
from streams.fold.warmup import warm
from streams.kafka.patience import patiently
from streams.system.scratch import scratch

log = logging.getLogger(__name__)

FETCH_BYTES: Final = 4 << 20
MISSING_LIMIT: Final = 20
"""Records that are missing are asked for again this often before the worker gives up."""


class FaustEngine(Engine):
    """The engine held up as the example: exact after any fault, as fast as a core goes."""

    name: ClassVar[str] = "faust"
    private: ClassVar[tuple[str, ...]] = (CHECKPOINTS,)

    def group(self, settings: WorkerSettings) -> str:
        """Return the group of the Faust app."""
        return group_of(settings)

    def run(self, settings: WorkerSettings) -> Summary:
        """Work until the run is done or a signal asks to stop."""
        warm()
        gc.freeze()  # what is imported stays: looking for cycles in it took a tenth of the time
        with scratch("faust") as folder:
            return patiently(lambda: asyncio.run(_run(settings, folder)))


async def _run(settings: WorkerSettings, folder: Path) -> Summary:
    """Work in a running loop, which Faust's app needs from its making on."""
    return await _Session(settings, folder).run()


class _Session:
    """One worker from start to end."""

    def __init__(self, settings: WorkerSettings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None
        self._missing: dict[Place, int] = {}
        self._worker = FaustWorker(settings)
        self._monitor = RunMonitor(settings.connection, settings.info, settings.engine)
        self._app = self._create_app()

    async def run(self) -> Summary:
        with signals(self._stop), self._metrics():
            async with tasks_of(self._worker.publish(), self._monitor.follow()) as tasks:
                try:
                    await start_app(self._app, self._settings.connection)
                    ended = await wait_for_end(self._app, self._stop, self._done(), tasks)
                finally:
                    await self._end()
        if self._failure is not None:
            raise self._failure
        return self._worker.summary(ended=ended)

    def _create_app(self) -> Any:
        settings = self._settings
        app = faust.App(
            **app_settings(settings, str(self._folder)),
            TableManager=NoTables,
            broker_max_poll_records=None,
            consumer_max_fetch_size=FETCH_BYTES,
            table_standby_replicas=0,
            topic_allow_declare=False,
        )
        topics = list(self._worker.partitions.base_of)
        hooks = Hooks(topics, self._own, self._release, self._committable, self._counted)
        app.transport = ChunkTransport(brokers(settings), app, hooks)
        app.agent(app.topic(*topics, key_type=bytes, value_type=bytes, value_serializer="raw"), name="chunks")(
            self._agent
        )
        app.in_worker = True
        app.finalize()
        return app

    async def _agent(self, stream: Any) -> None:
        async for event in stream.events():
            await self._accept(event.message.tp, event.value)

    async def _accept(self, tp: TP, chunk: Chunk) -> None:
        place = self._place(tp)
        try:
            await self._worker.accept(place, chunk)
            self._missing.pop(place, None)
        except MissingRecordsError as missing:
            log.warning("%s; reading again", missing)
            self._missing[place] = self._missing.get(place, 0) + 1
            if self._missing[place] > MISSING_LIMIT:
                self._fail(EngineError(f"{missing}: records of the run are gone from the broker"))
            await self._app.consumer.seek_wait({tp: missing.offset})
        except Exception as error:  # noqa: BLE001 - Faust would log it and go on with the next chunk
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._stop.set()

    def _place(self, tp: TP) -> Place:
        return self._worker.partitions.base_of[tp.topic], tp.partition

    async def _own(self, assigned: Collection[TP]) -> dict[TP, int]:
        places = {self._place(tp): tp for tp in assigned}
        offsets = await self._worker.own(list(places))
        return {places[place]: offset for place, offset in offsets.items()}

    def _release(self, assigned: Collection[TP]) -> None:
        self._worker.release([self._place(tp) for tp in assigned])

    def _committable(self, tp: TP) -> int | None:
        return self._worker.checkpointed.get(self._place(tp)) or None

    def _counted(self) -> dict[TP, int]:
        names, states = self._worker.partitions.full_of, self._worker.partitions.states
        return {TP(names[base], number): state.next_offset for (base, number), state in states.items()}

    async def _done(self) -> None:
        """Return when every partition of the run has ended, this worker's and everybody else's."""
        while True:
            await self._worker.ended.wait()
            if len(self._worker.partitions.states) == len(self._worker.partitions.places()):
                return
            self._monitor.want_end()
            await self._monitor.ended.wait()
            if self._worker.ended.is_set():
                return
            await asyncio.sleep(0.05)

    @contextlib.contextmanager
    def _metrics(self) -> Iterator[None]:
        settings = self._settings
        if settings.metrics_port is None:
            yield
            return
        around = Surroundings(self._ends, lambda: self._monitor.replayed, time.time())
        port, close = serve(self._worker, around, settings.metrics_port, settings.metrics_address)
        started = {"engine": settings.engine, "run": settings.info.run, "worker": settings.worker, "pid": os.getpid()}
        line = msgspec.json.encode({**started, "metrics_port": port})
        print(line.decode(), file=sys.stderr, flush=True)  # noqa: T201 - the process that started the worker reads it
        try:
            yield
        finally:
            close()

    def _ends(self) -> dict[Place, int]:
        names = self._worker.partitions.full_of
        ends = {}
        for base, number in list(self._worker.partitions.states):
            with contextlib.suppress(Exception):  # asked from another thread: the partition may be gone by now
                ends[base, number] = self._app.consumer.highwater(TP(names[base], number))
        return {place: end for place, end in ends.items() if end is not None}

    async def _end(self) -> None:
        started = time.monotonic()
        await stop_app(self._app)
        await self._worker.close()
        log.info("stopped in %.1f s", time.monotonic() - started)
