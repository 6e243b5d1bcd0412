"""The embedded broker: it comes back on its data, goes with whoever started it, and says why it failed."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from kafka import KafkaProducer

from joinstorm.embedded import settings
from joinstorm.embedded.broker import EmbeddedBroker
from joinstorm.embedded.kafkahome import find_java, jar_folder, kafka_jars
from streams.errors import EnvironmentMissingError
from streams.kafka.admin import open_admin
from streams.kafka.connection import Connection
from streams.kafka.topicreader import read_all
from streams.system.scratch import sweep
from tests.conftest import required

pytestmark = pytest.mark.integration


@pytest.fixture
def broker(tmp_path: Path) -> EmbeddedBroker:
    """Return a broker that is not started yet; skip where it cannot be."""
    made = EmbeddedBroker(parent=tmp_path)
    try:
        find_java(os.environ)
        kafka_jars(os.environ)
    except EnvironmentMissingError as error:
        if required():
            raise
        pytest.skip(str(error))
    return made


def write(connection: Connection, topic: str, value: bytes) -> None:
    """Write one record and wait until it is there."""
    with contextlib.closing(KafkaProducer(**connection.for_kafka_python())) as producer:
        producer.send(topic, value, timestamp_ms=1_684_965_600_000).get(timeout=20)


def read(connection: Connection, topic: str) -> list[bytes]:
    """Return all values of a topic with one partition."""
    return [record.value or b"" for record in read_all(connection, topic)]


def test_address_and_data_survive_a_stop_and_a_kill(broker: EmbeddedBroker) -> None:
    """After a restart, and after kill -9, the same address serves what was written; afterwards everything is gone."""
    with broker:
        connection, folder = broker.connection, broker.folder
        with contextlib.closing(open_admin(connection)) as admin:
            admin.create_topics({"kept": {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
        write(connection, "kept", b"one")
        broker.restart()
        write(connection, "kept", b"two")
        broker.kill()
        assert not broker.alive()
        broker.start()
        assert broker.connection == connection
        assert read(connection, "kept") == [b"one", b"two"]
        pid = broker.pid
    assert pid is not None
    assert not psutil.pid_exists(pid)
    assert not folder.exists()


def test_a_start_that_fails_shows_the_end_of_its_log(
    broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker with a setting Kafka refuses: the text has Kafka's own words, and nothing is left behind."""
    monkeypatch.setattr(settings, "SETTINGS", settings.SETTINGS + "num.io.threads=none\n")
    with pytest.raises(EnvironmentMissingError, match=r"(?s)num\.io\.threads"):
        broker.__enter__()
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("broker")
def test_it_dies_with_a_killed_owner_and_is_swept_up_later(tmp_path: Path) -> None:
    """Kill -9 of the process that started it ends it too, and nobody holds its folder any more."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the kernel's parent-death signal is Linux's")
    code = (
        "import time; from pathlib import Path; from joinstorm.embedded.broker import EmbeddedBroker\n"
        f"with EmbeddedBroker(parent=Path({str(tmp_path)!r})) as b: print(b.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        kafka = psutil.Process(int(owner.stdout.readline()))
        owner.send_signal(signal.SIGKILL)
    psutil.wait_procs([kafka], timeout=10)
    assert not kafka.is_running()
    assert list(tmp_path.glob("joinstorm-kafka-*"))
    sweep(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_command_prints_its_address_and_ends_on_a_signal() -> None:
    """``joinstorm broker``: one line on stdout, SIGTERM ends it with exit code 130 and takes Kafka along."""
    command = [sys.executable, "-m", "joinstorm.cli", "broker"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        children = psutil.Process(process.pid).children(recursive=True)
        open_admin(Connection(address)).close()
        process.terminate()
        assert process.wait(20) == 130
    assert children
    psutil.wait_procs(children, timeout=5)
    assert not any(child.is_running() for child in children)


def test_a_folder_may_have_any_name(tmp_path: Path, broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data and jars are where they should be, whatever the locale, and the data goes away with the broker."""
    name = "a,b\\c:d  \u0436\u00e9 \u5b57 {port}#!=$x"
    cache, parent = tmp_path / "cache" / name, tmp_path / "work" / name
    parent.mkdir(parents=True)
    shutil.copytree(jar_folder(broker.environ), jar_folder({"JOINSTORM_CACHE_DIR": str(cache)}))
    monkeypatch.setenv("LC_ALL", "C")
    with EmbeddedBroker({**os.environ, "JOINSTORM_CACHE_DIR": str(cache)}, parent) as started:
        assert started.folder.parent == parent
        assert (started.folder / "data" / "meta.properties").exists()
    assert list((tmp_path / "work").rglob("*")) == [parent]
