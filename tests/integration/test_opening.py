"""Opening a run on a real broker: topics with their settings, run.info, and what is refused."""

import contextlib

import pytest
from kafka.admin import ConfigResource

from producers.replay.opening import open_run
from streams.contract import runinfo
from streams.contract.topics import RUN_INFO, Topics
from streams.errors import BrokerError, ContractError
from streams.kafka.admin import open_admin
from streams.kafka.connection import Connection
from streams.kafka.topicreader import read_all
from tests.tinytape import tiny_info

pytestmark = pytest.mark.integration


def test_a_run_gets_its_topics_and_its_information(kafka: Connection, unique_run: str) -> None:
    """Every topic exists with its partitions, input topics keep events for ever, and run.info can be read back."""
    info = open_run(kafka, tiny_info(events=7, people=3), run=unique_run, prefix="lab.", partitions=3)
    with contextlib.closing(open_admin(kafka)) as admin:
        found = {
            topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics(list(info.topics.values())[:2])
        }
        assert found == {f"lab.space.presence.{unique_run}": 3, f"lab.tweets.{unique_run}": 3}
        configs = admin.describe_configs([ConfigResource("TOPIC", info.topics["tweets"])])
        assert configs["topic"][info.topics["tweets"]]["retention.ms"]["value"] == "-1"
    assert read_info(kafka, Topics(unique_run, "lab.").shared(RUN_INFO), unique_run) == info


def read_info(kafka: Connection, topic: str, run: str) -> runinfo.RunInfo | None:
    """Return a run's record of run.info."""
    found = (record.value for record in read_all(kafka, topic) if record.key == run.encode())
    return next(map(runinfo.decode_info, found), None)


def test_a_run_id_is_used_once(kafka: Connection, unique_run: str) -> None:
    """Opening the same run id again is refused: events of two runs never mix."""
    open_run(kafka, tiny_info(), run=unique_run)
    with pytest.raises(ContractError, match=f"space.presence.{unique_run}.*already exist"):
        open_run(kafka, tiny_info(), run=unique_run)


def test_a_shared_topic_with_other_partitions_is_refused(kafka: Connection, unique_run: str) -> None:
    """A shared topic somebody made with another partition count is named with both counts."""
    prefix = f"{unique_run}."
    with contextlib.closing(open_admin(kafka)) as admin:
        admin.create_topics(
            {f"{prefix}run.status": {"num_partitions": 2, "replication_factor": 1}}, wait_for_metadata=True
        )
    with pytest.raises(ContractError, match=r"run\.status has 2 partitions, expected 1"):
        open_run(kafka, tiny_info(), run=unique_run, prefix=prefix)


def test_more_copies_than_brokers_is_a_broker_error(kafka: Connection, unique_run: str) -> None:
    """The option is named, and how many brokers there are; it is no use to wait."""
    with pytest.raises(
        BrokerError, match=r": --replication 5 needs as many brokers; only \d+ broker.s. (is|are) registered there$"
    ):
        open_run(kafka, tiny_info(), run=unique_run, prefix=f"{unique_run}.", replication=5)


def test_a_broker_that_does_not_answer_is_named() -> None:
    """Nobody at the address: BrokerError with the address."""
    with pytest.raises(BrokerError, match=r"no Kafka answers at 127\.0\.0\.1:1 "):
        open_admin(Connection("127.0.0.1:1"), seconds=0.5)
