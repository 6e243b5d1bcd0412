"""Fixtures of all tests: a real broker for the session, and unique run ids."""

import contextlib
import os
import re
import shutil
import socket
import uuid
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from kafka.net.inet import KafkaNetSocket

from joinstorm.embedded.broker import EmbeddedBroker
from joinstorm.embedded.cluster import EmbeddedCluster
from joinstorm.engines.catalog import state
from producers.compose.encode import warm as warm_producer
from streams.errors import EnvironmentMissingError
from streams.fold.warmup import warm as warm_worker
from streams.kafka.connection import Connection

# Properties hold on a busy machine too: no example has to be ready within a time.
settings.register_profile("joinstorm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("joinstorm")


T = TypeVar("T")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Play what needs a broker or the whole pipeline first: at the end, only short tests are left to two processes."""
    items.sort(key=lambda item: not ({"integration", "e2e"} & {mark.name for mark in item.iter_markers()}))


def required() -> bool:
    """Whether a test that cannot run is a failure: in CI nothing is skipped for want of a part."""
    return os.environ.get("JOINSTORM_REQUIRE_ALL") == "1"


def need_engine(name: str) -> None:
    """Skip the test when an engine is not installed and need not be."""
    found = state(name)
    if not found.startswith("installed") and not required():
        pytest.skip(f"{name}: {found}")


def need_program(*names: str, package: str = "prometheus") -> None:
    """Skip the test when a program of a package is not installed and need not be."""
    missing = [name for name in names if shutil.which(name) is None]
    if missing and not required():
        pytest.skip(f"{' and '.join(missing)}: not installed; apt-get install {package}")


@contextlib.contextmanager
def own_broker() -> Iterator[EmbeddedBroker]:
    """Yield a started broker for tests that stop or freeze it; skip where none can be had and none is required."""
    with started(EmbeddedBroker()) as broker:
        yield broker


@contextlib.contextmanager
def own_cluster(count: int = 1, advertise: Callable[[int], int] | None = None) -> Iterator[EmbeddedCluster]:
    """Yield a started cluster, maybe behind a proxy; skip where none can be had and none is required."""
    with started(EmbeddedCluster(count, advertise)) as cluster:
        yield cluster


@contextlib.contextmanager
def started(kafka: contextlib.AbstractContextManager[T]) -> Iterator[T]:
    """Yield what is started; skip where it cannot be started and need not."""
    with contextlib.ExitStack() as stack:
        try:
            inside = stack.enter_context(kafka)
        except EnvironmentMissingError as error:
            if required():
                raise
            pytest.skip(str(error))
        yield inside


@pytest.fixture(scope="session", autouse=True)
def _connecting_sockets_are_closed() -> Iterator[None]:
    """Close sockets that kafka-python gives up while they connect; it leaves them to the garbage collector.

    That collects them in the middle of a later test, which then fails of a warning that is not its own.
    """
    connect = KafkaNetSocket.sock_connect

    async def connect_or_close(
        self: KafkaNetSocket, net: object, sock: socket.socket, *place: object, **by: object
    ) -> object:
        try:
            return await connect(self, net, sock, *place, **by)
        except BaseException:  # the end of a coroutine that is dropped, too
            sock.close()
            raise

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(KafkaNetSocket, "sock_connect", connect_or_close)
        yield


@pytest.fixture(scope="session")
def kafka(kafka_broker: Connection) -> Connection:
    """Return a connection to a real broker, once kernels are compiled: that takes longer than a test waits."""
    warm_worker()
    warm_producer()
    return kafka_broker


@pytest.fixture
def unique_run(request: pytest.FixtureRequest) -> str:
    """Return a run id of this test alone; the names of its input topics follow from it."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower().removeprefix("test_"))
    return f"{name[:40].strip('-')}-{uuid.uuid4().hex[:8]}"
