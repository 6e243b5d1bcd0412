"""The plain consumer and its group."""

import contextlib
from collections.abc import Iterator

import pytest
from kafka.admin import NewPartitions

from streams.contract.topics import INPUTS
from streams.engines.abstract import WorkerSettings
from streams.engines.kafkapython.engine import KafkaPythonWorker
from streams.kafka.admin import open_admin
from streams.kafka.connection import Connection
from tests.streaming import open_night, until

pytestmark = pytest.mark.integration


@pytest.fixture
def worker(kafka: Connection, unique_run: str) -> Iterator[KafkaPythonWorker]:
    """Yield the only worker of a run whose topics were just made."""
    info = open_night(kafka, unique_run, 1)
    with contextlib.closing(KafkaPythonWorker(WorkerSettings(kafka, info, "kafka-python", worker=0))) as worker:
        yield worker


def test_a_poll_that_ends_within_a_rebalance_loses_no_partition(kafka: Connection, worker: KafkaPythonWorker) -> None:
    """A worker that rejoins because partitions were added gets them, even if a poll ended before the answer came."""
    info = worker.info
    _work_until_assigned(worker, info.partitions)
    with contextlib.closing(open_admin(kafka)) as admin:
        admin.create_partitions({info.topics[base]: NewPartitions(info.partitions + 1) for base in INPUTS})
    for _ in range(20):  # to see the partitions, to join, to be answered: whatever comes first
        worker.consumer.topics()  # refreshes the metadata
        worker.consumer.poll(timeout_ms=0)  # is over before the group has answered
    _work_until_assigned(worker, info.partitions + 1)


def _work_until_assigned(worker: KafkaPythonWorker, partitions: int) -> None:
    def assigned() -> bool:
        worker.work()
        return len(worker.folds) == len(INPUTS) * partitions

    until(assigned, f"not all of {partitions} partitions of each topic were assigned")
