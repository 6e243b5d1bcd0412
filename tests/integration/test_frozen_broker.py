"""A broker that freezes, or ends and starts again: a sender waits within bounds, loses nothing and doubles nothing."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from kafka import KafkaProducer

from joinstorm.embedded.broker import EmbeddedBroker
from producers.replay.opening import open_run
from producers.replay.playback import PlaybackRequest, PlaybackResult, Replay
from producers.senders import aio, backlog, kafka_python
from producers.senders.registry import CLIENTS, sender_factory
from producers.tape.tapefile import Tape
from streams.kafka.closing import close_producer
from tests import tinytape
from tests.conftest import own_broker
from tests.replaying import play, read_back, renamed

pytestmark = pytest.mark.integration

LANES = 4
BOUND, PORTION = 400, 100


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    """Yield a broker of this module's own: it is frozen."""
    with own_broker() as started:
        yield started


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Return a night of many times what may wait, of this hour.

    A broker that starts again knows no producer whose last record is older than a day by its own timestamp, and takes
    its last batch twice (docs/cluster.md).
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tinytape, "START", time.time_ns() // 60_000_000_000 * 60_000)
        return tinytape.tiny_tape(tmp_path_factory.mktemp("tape") / "night.parquet", people=4_000)


def until(over: threading.Event, holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds, or the replay is over."""
    deadline = time.monotonic() + 60
    while not holds() and not over.is_set():
        assert time.monotonic() < deadline, what
        time.sleep(0.002)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_producer_waits_for_a_frozen_broker(
    broker: EmbeddedBroker, unique_run: str, tape: Tape, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the broker stands still no more than the bound is on its way, at full speed; then everything arrives."""
    monkeypatch.setattr(backlog, "WAITING_RECORDS", BOUND)
    monkeypatch.setattr(backlog, "BATCH_BYTES", 20_000)
    for sender in (aio.AiokafkaSender, kafka_python.KafkaBatchSender):
        monkeypatch.setattr(sender, "portion", PORTION)
    info = open_run(broker.connection, tape.info, run=unique_run, partitions=LANES // 2, watermark_step_ms=60_000)
    make = sender_factory(client, broker.connection, paced=False)
    replay = Replay(tape, info, make, settings=PlaybackRequest())
    results: list[PlaybackResult] = []
    over = threading.Event()

    def play() -> None:
        try:
            results.append(replay.play())
        finally:
            over.set()

    thread = threading.Thread(target=play)
    thread.start()
    most: list[int] = []
    try:
        until(over, lambda: replay.meter.acked > 0, "nothing was acknowledged")
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGSTOP)
        until(over, lambda: replay.meter.in_flight >= BOUND, "the bound was not reached")
        most = [replay.meter.in_flight for _ in range(40) if not over.wait(0.05)]
    finally:
        if broker.pid is not None:
            os.kill(broker.pid, signal.SIGCONT)
        thread.join(120)
    batches = LANES * backlog.BATCHES_PER_LANE * 200  # what the client has, in batches of up to about 200 records
    assert BOUND <= max(most) <= BOUND + LANES * PORTION + batches
    assert max(most) < tape.rows / 4
    assert [(result.state, result.sent) for result in results] == [("ended", tape.rows)]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("end", [EmbeddedBroker.kill, EmbeddedBroker.stop])
def test_a_broker_that_comes_back_has_everything_once(
    broker: EmbeddedBroker,
    unique_run: str,
    tape: Tape,
    client: str,
    end: Callable[[EmbeddedBroker], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It ends with batches under way, killed or in order: in the end every record is there once, in order."""
    monkeypatch.setattr(backlog, "WAITING_RECORDS", BOUND)
    monkeypatch.setattr(backlog, "BATCH_BYTES", 20_000)
    info = open_run(broker.connection, tape.info, run=unique_run, partitions=LANES // 2, watermark_step_ms=10_000)
    replay = Replay(tape, info, sender_factory(client, broker.connection, paced=False), settings=PlaybackRequest())
    with ThreadPoolExecutor(1) as pool:
        playing, over = pool.submit(replay.play), threading.Event()
        playing.add_done_callback(lambda _: over.set())
        until(over, lambda: replay.meter.acked > 0, "nothing was acknowledged")
        assert replay.meter.acked < tape.rows
        end(broker)
        broker.start()
        result = playing.result(120)
    assert (result.state, result.sent, result.failed) == ("ended", tape.rows, 0)
    assert read_back(broker.connection, info) == renamed(play(tape), info)


def test_a_last_record_without_an_answer_keeps_no_producer(broker: EmbeddedBroker, unique_run: str, tape: Tape) -> None:
    """Its thread has ended, and no traceback is left for the end of the process."""
    topic = open_run(broker.connection, tape.info, run=unique_run, partitions=1).names().presence
    producer = KafkaProducer(**broker.connection.for_kafka_python())
    assert broker.pid is not None
    producer.send(topic, b"answered").get(timeout=30)
    try:
        os.kill(broker.pid, signal.SIGSTOP)
        producer.send(topic, b"not answered")
        assert not close_producer(producer, 0.5)
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    assert not producer._sender.is_alive()
    producer.close()
