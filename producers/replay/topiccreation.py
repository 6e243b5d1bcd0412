"""Creates the topics of a run, and refuses existing ones that do not fit."""

import contextlib
from collections.abc import Sequence

from kafka import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from streams.contract.topics import TopicSpec
from streams.errors import BrokerError, ContractError
from streams.kafka.admin import open_admin
from streams.kafka.connection import Connection


def ensure_topics(
    connection: Connection, fresh: Sequence[TopicSpec], shared: Sequence[TopicSpec], replication: int
) -> None:
    """Create the topics of a run.

    Args:
        connection: Where the broker is.
        fresh: Topics of this run alone, which must not exist yet.
        shared: Topics of all runs; an existing one with the same partition count is reused.
        replication: Replicas of each topic.

    Raises:
        BrokerError: The broker does not answer, or refuses.
        ContractError: A fresh topic already exists, or a shared one has another partition count.
    """
    with contextlib.closing(open_admin(connection)) as admin:
        try:
            present = set(admin.list_topics())
            _refuse_known([spec.name for spec in fresh if spec.name in present])
            _compare(admin, [spec for spec in shared if spec.name in present])
            _create(admin, fresh, replication, shared=False)
            _create(admin, [spec for spec in shared if spec.name not in present], replication, shared=True)
        except KafkaError as error:
            raise BrokerError(
                f"{connection.bootstrap_servers}: cannot create the topics of the run: {error}"
            ) from error


def _refuse_known(names: list[str]) -> None:
    if names:
        raise ContractError(
            f"topics {', '.join(names)} already exist: a run id is used once, so that events of two runs never mix. "
            "Choose another one with --run"
        )


def _compare(admin: KafkaAdminClient, specs: Sequence[TopicSpec]) -> None:
    """Shared topics serve all runs: their partition count is part of the contract."""
    found = (
        {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics([spec.name for spec in specs])}
        if specs
        else {}
    )
    for spec in specs:
        if found[spec.name] != spec.partitions:
            raise ContractError(
                f"topic {spec.name} has {found[spec.name]} partitions, expected {spec.partitions}; "
                "delete it or use another --topic-prefix"
            )


def _create(admin: KafkaAdminClient, specs: Sequence[TopicSpec], replication: int, *, shared: bool) -> None:
    wanted = {
        spec.name: {"num_partitions": spec.partitions, "replication_factor": replication, "configs": spec.configs}
        for spec in specs
    }
    if not wanted:
        return
    try:
        admin.create_topics(wanted, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        if not shared:  # two runs may create a shared topic at the same time; a run's own topics must be new
            _refuse_known(list(wanted))
        admin.wait_for_topics(list(wanted))
