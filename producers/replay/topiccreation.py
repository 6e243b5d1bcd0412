"""Creates the topics of a run, and refuses existing ones that do not fit."""

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from kafka import KafkaAdminClient
from kafka.errors import InvalidReplicationFactorError, KafkaError, TopicAlreadyExistsError

from streams.contract.topics import TopicSpec
from streams.errors import AwayError, BrokerError, ContractError
from streams.kafka.admin import failed, open_admin
from streams.kafka.connection import Connection
from streams.kafka.patience import patiently

_FENCED = "fenced"
"""What Kafka says of registered brokers that were silent for a moment, as on a busy machine."""
_REGISTERED = re.compile(r"only (\d+ broker\(s\) (?:are|is))")


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
        BrokerError: The broker does not answer, for ``streams.kafka.patience.WAIT_SECONDS``, or refuses.
        ContractError: A fresh topic already exists, or a shared one has another partition count.
    """
    patiently(_Creation(connection, fresh, shared, replication).attempt)


@dataclass
class _Creation:
    """The creation of a run's topics, which goes on where it was when the broker left."""

    connection: Connection
    fresh: Sequence[TopicSpec]
    shared: Sequence[TopicSpec]
    replication: int
    _ours: bool = False
    """Whether the fresh topics were missing when this began: one that exists later was created by us."""

    def attempt(self) -> None:
        with contextlib.closing(open_admin(self.connection)) as admin:
            try:
                self._create(admin)
            except InvalidReplicationFactorError as error:
                if _FENCED in str(error):
                    raise AwayError(f"{self.connection.bootstrap_servers}: {error}") from error
                raise BrokerError(self._too_few(error)) from error
            except KafkaError as error:
                raise failed(self.connection, "cannot create the topics of the run", error) from error

    def _create(self, admin: KafkaAdminClient) -> None:
        present = set(admin.list_topics())
        if not self._ours:
            _refuse_known([spec.name for spec in self.fresh if spec.name in present])
        again, self._ours = self._ours, True
        _compare(admin, [spec for spec in self.shared if spec.name in present])
        missing = [spec for spec in self.fresh if spec.name not in present]
        _create(admin, missing, self.replication, shared=again)
        _create(admin, [spec for spec in self.shared if spec.name not in present], self.replication, shared=True)

    def _too_few(self, error: KafkaError) -> str:
        where, brokers = self.connection.bootstrap_servers, _REGISTERED.search(str(error))
        found = f"; only {brokers[1]} registered there" if brokers else ""
        return f"{where}: --replication {self.replication} needs as many brokers{found}"


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
