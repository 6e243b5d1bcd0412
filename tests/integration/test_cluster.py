"""A cluster of three brokers: it goes on without any one of them, and its clients may be sent through a proxy."""

import contextlib
import time
from collections.abc import Callable, Iterator

import psutil
import pytest
from kafka import KafkaProducer

from joinstorm.chaos.proxy import Passing, Proxy
from joinstorm.embedded.cluster import EmbeddedCluster
from producers.replay.topiccreation import ensure_topics
from streams.contract.topics import TopicSpec
from streams.kafka.admin import open_admin
from streams.kafka.connection import Connection
from streams.kafka.topicreader import read_all
from tests.conftest import own_cluster
from tests.streaming import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def passed() -> set[bool]:
    """Return the directions in which bytes passed the proxy."""
    return set()


def await_sync(cluster: EmbeddedCluster, *topics: str) -> None:
    """Wait until every replica of the topics has what its leader has."""
    until(lambda: cluster.in_sync(topics), f"all replicas of {', '.join(topics)}", seconds=120)


@pytest.fixture(scope="module")
def cluster(passed: set[bool]) -> Iterator[EmbeddedCluster]:
    """Yield three brokers behind a proxy, with a topic in three copies."""

    def watch(passing: Passing) -> None:
        passed.add(passing.onward)

    with Proxy(watch) as proxy, own_cluster(3, proxy.lead_to) as made:
        with contextlib.closing(open_admin(made.connection)) as admin:
            admin.create_topics({"kept": {"num_partitions": 1, "replication_factor": 3}}, wait_for_metadata=True)
        await_sync(made, "kept")
        yield made


def write(connection: Connection, value: bytes) -> None:
    """Write one record and wait until all replicas in sync have it."""
    with contextlib.closing(KafkaProducer(**connection.for_kafka_python(), acks="all")) as producer:
        producer.send("kept", value).get(timeout=60)


def another(find: Callable[[], int | None], than: int) -> int:
    """Wait until something is another broker than before."""
    deadline = time.monotonic() + 60
    while (found := find()) in {None, than}:
        assert time.monotonic() < deadline
    assert found is not None
    return found


def test_a_killed_leader_is_replaced(cluster: EmbeddedCluster) -> None:
    """Kill -9 of a leader: another one takes over with everything acknowledged, and the killed one catches up."""
    write(cluster.connection, b"one")
    leader = cluster.leader(["kept"])
    assert leader is not None
    cluster.brokers[leader].kill()
    assert cluster.alive()
    another(lambda: cluster.leader(["kept"]), leader)
    write(cluster.connection, b"two")
    assert not cluster.in_sync(["kept"])
    cluster.start()
    await_sync(cluster, "kept")
    assert [record.value for record in read_all(cluster.connection, "kept")][-2:] == [b"one", b"two"]


def test_a_killed_controller_is_replaced(cluster: EmbeddedCluster) -> None:
    """Another node becomes the controller, and can create a topic."""
    controller = cluster.controller()
    assert controller is not None
    cluster.brokers[controller].kill()
    another(cluster.controller, controller)
    ensure_topics(cluster.connection, [TopicSpec("new", 1)], [], 2)
    cluster.start()
    await_sync(cluster, "kept", "new")


def test_without_a_majority_it_is_not_alive(cluster: EmbeddedCluster) -> None:
    """Two of three are gone: no controller can be elected until one of them is back."""
    for broker in cluster.brokers[1:]:
        broker.kill()
    assert not cluster.alive()
    cluster.start()
    assert cluster.alive()
    await_sync(cluster, "kept")


def test_clients_pass_the_proxy(cluster: EmbeddedCluster, passed: set[bool]) -> None:
    """What a client sends and gets passes it; whoever started the cluster has another way."""
    passed.clear()
    assert cluster.in_sync(["kept"])
    assert not passed
    write(cluster.connection, b"three")
    assert passed == {True, False}


def test_nothing_is_left_of_it() -> None:
    """After the block no process runs and no folder is left."""
    with own_cluster(2) as made:
        pids = [broker.pid or 0 for broker in made.brokers]
        folders = [broker.folder for broker in made.brokers]
        assert all(psutil.pid_exists(pid) for pid in pids)
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert not any(folder.exists() for folder in folders)
