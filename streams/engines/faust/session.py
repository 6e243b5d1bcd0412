"""What the engines on Faust share: an app that keeps to itself, and a worker's life from start to end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Collection, Iterator
from types import FrameType
from typing import Any, Final

from aiokafka.errors import KafkaError
from yarl import URL

from streams.engines.abstract import WorkerSettings
from streams.engines.faust.consumerthread import STOP_SECONDS
from streams.errors import EngineError
from streams.kafka.admin import failed
from streams.kafka.connection import Connection
from streams.system.children import handled_signals

SESSION_SECONDS: Final = 6.0
"""The shortest a broker allows by default: a worker that was killed is missed after this long."""
METADATA_MS: Final = 5_000
"""How often a consumer asks for partitions and leaders. aiokafka repeats no request for them that failed: a consumer
whose first one was cut off joins its group without partitions, and would stay so for five minutes."""


def brokers(settings: WorkerSettings) -> list[URL]:
    """Return the brokers as Faust wants them."""
    return [URL(f"kafka://{server}") for server in settings.connection.servers()]


def group_of(settings: WorkerSettings) -> str:
    """Return the consumer group of an engine's workers on one run."""
    return f"{settings.info.prefix}joinstorm-{settings.engine}-{settings.info.run}"


def app_settings(settings: WorkerSettings, folder: str) -> dict[str, Any]:
    """Return settings of a Faust app: one consumer group per run and engine, nothing of it outside ``folder``."""
    group = group_of(settings)
    return {
        "id": group,
        "broker": brokers(settings),
        "consumer_metadata_max_age_ms": METADATA_MS,
        **settings.connection.for_faust(),
        "datadir": folder,
        "broker_session_timeout": SESSION_SECONDS,
        "broker_heartbeat_interval": SESSION_SECONDS / 6,
        "consumer_auto_offset_reset": "earliest",
        "consumer_group_instance_id": None if settings.worker is None else f"{group}-{settings.worker}",
        "stream_wait_empty": False,
        "topic_disable_leader": True,
        "web_enabled": False,
        "worker_redirect_stdouts": False,
    }


async def start_app(app: Any, connection: Connection) -> None:
    """Start a Faust app, once.

    Raises:
        AwayError: The broker is away. An app that has not started is of no use; another one may start later.
    """
    try:
        await app.start()
    except (KafkaError, OSError) as error:
        raise failed(connection, "Faust cannot start", error) from error


async def wait_for_end(
    app: Any, stop: asyncio.Event, done: Awaitable[None], tasks: Collection["asyncio.Task[None]"] = ()
) -> bool:
    """Wait until ``done`` returns (True) or something asks to stop (False).

    Raises:
        EngineError: Faust gave up.
    """
    stopped = asyncio.ensure_future(stop.wait())
    crashed = asyncio.ensure_future(app._crashed.wait())  # noqa: SLF001 - mode offers no other way to wait
    ended = asyncio.ensure_future(done)
    try:
        await asyncio.wait({stopped, crashed, ended, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in (stopped, crashed, ended):
            if not one.done():
                one.cancel()
    for task in tasks:
        if task.done():
            task.result()
    if crashed.done() and not crashed.cancelled():
        raise EngineError(f"Faust gave up: {app.crash_reason!r}")
    if ended.done() and not ended.cancelled():
        ended.result()
        return True
    return False


async def stop_app(app: Any) -> None:
    """Stop a Faust app, or leave it behind after some seconds: its process ends anyway (see consumerthread.py)."""
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(app.stop(), STOP_SECONDS)


@contextlib.contextmanager
def signals(stop: asyncio.Event) -> Iterator[None]:
    """Have every signal that asks to stop set an event. Main thread only."""
    loop = asyncio.get_running_loop()

    def set_stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
        loop.call_soon_threadsafe(stop.set)  # which also wakes the loop

    with handled_signals(set_stop):
        yield


@contextlib.asynccontextmanager
async def tasks_of(*coroutines: Any) -> AsyncIterator[list["asyncio.Task[None]"]]:
    """Run coroutines in the background of the block; its end cancels them."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
