"""A broker that comes up late, or goes away while a run is starting, is waited for at every step of the start."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from joinstorm.embedded.broker import EmbeddedBroker
from joinstorm.oracle import publishing
from producers.replay import opening, topiccreation
from producers.replay.opening import open_run, opened_run
from producers.replay.playback import PlaybackRequest, Replay
from producers.senders.registry import CLIENTS, sender_factory
from producers.tape.tapefile import Tape
from streams.contract.runinfo import RunInfo
from streams.errors import BrokerError
from streams.kafka import patience, rights
from streams.kafka.admin import open_admin
from streams.kafka.connection import Connection
from streams.read.reader import ResultReader
from tests.conftest import own_broker
from tests.tinytape import tiny_tape

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    """Yield a broker of this module's own: it comes and goes."""
    with own_broker() as started:
        yield started


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Return a small night."""
    return tiny_tape(tmp_path_factory.mktemp("tape") / "night.parquet", people=50)


class Coming:
    """Ends the broker and starts it again, in a thread that lives on: the broker ends with the thread that started it.

    Args:
        broker: The broker.
        pool: The thread.
    """

    def __init__(self, broker: EmbeddedBroker, pool: ThreadPoolExecutor) -> None:
        self.broker = broker
        self._pool = pool
        self._started: Future[None] = pool.submit(broker.start)

    def leave(self) -> None:
        """End the broker once it is up; return while it starts again."""
        self._started.result()
        self.broker.kill()
        self._started = self._pool.submit(self.broker.start)


@pytest.fixture(scope="module")
def coming(broker: EmbeddedBroker) -> Iterator[Coming]:
    """Yield what ends the broker and starts it again."""
    with ThreadPoolExecutor(1) as pool:
        made = Coming(broker, pool)
        yield made
        broker.kill()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer than usual: a busy machine starts a broker slowly."""
    monkeypatch.setattr(patience, "WAIT_SECONDS", 120.0)
    monkeypatch.setattr("streams.read.reader.CONNECT_SECONDS", 120.0)


def test_a_run_opens_although_the_broker_leaves_at_every_step(
    coming: Coming, unique_run: str, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the topics, between them, and before run.info: afterwards the run is open, once."""
    left: list[str] = []

    def leaving(module: Any, name: str) -> None:
        real: Callable[..., Any] = getattr(module, name)

        def cut(*args: Any, **further: Any) -> Any:
            if name not in left:
                left.append(name)
                coming.leave()
            return real(*args, **further)

        monkeypatch.setattr(module, name, cut)

    leaving(topiccreation, "_compare")
    leaving(opening, "publish_once")
    coming.leave()
    connection = coming.broker.connection
    info = open_run(connection, tape.info, run=unique_run)
    assert left == ["_compare", "publish_once"]
    assert opened_run(connection, unique_run) == info


def read(connection: Connection, info: RunInfo) -> object:
    """Follow the run."""
    with ResultReader(connection, run=info.run) as reader:
        return reader.wait_for_run(60) == info


def check(connection: Connection, info: RunInfo) -> object:
    """Check what a worker needs."""
    rights.check(connection, info, rights.WORKER_NEEDS)
    return True


def tell(connection: Connection, info: RunInfo) -> object:
    """Publish a truth of no records."""
    return publishing.publish(connection, info, iter(())) == 0


def find(connection: Connection, info: RunInfo) -> object:
    """Look the run up."""
    return opened_run(connection, info.run) == info


@pytest.mark.parametrize("step", [read, check, tell, find])
def test_every_part_waits_for_the_broker(
    coming: Coming, unique_run: str, tape: Tape, step: Callable[[Connection, RunInfo], object]
) -> None:
    """Readers, workers and truth may start while the broker is away."""
    info = open_run(coming.broker.connection, tape.info, run=unique_run)
    coming.leave()
    assert step(coming.broker.connection, info)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_producer_waits_for_the_broker(coming: Coming, unique_run: str, tape: Tape, client: str) -> None:
    """It connects when the broker is there, and everything is sent."""
    info = open_run(coming.broker.connection, tape.info, run=unique_run, watermark_step_ms=60_000)
    coming.leave()
    make = sender_factory(client, coming.broker.connection, paced=False)
    result = Replay(tape, info, make, settings=PlaybackRequest()).play()
    assert (result.state, result.sent) == ("ended", tape.rows)


def test_a_broker_that_stays_away_is_named(unique_run: str, tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line has its address and how long it was waited for."""
    monkeypatch.setattr(patience, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr("producers.replay.topiccreation.open_admin", partial(open_admin, seconds=0.5))
    with pytest.raises(BrokerError, match=r"no Kafka answers at 127\.0\.0\.1:1 .*; gave up after \d+ s"):
        open_run(Connection("127.0.0.1:1"), tape.info, run=unique_run)
