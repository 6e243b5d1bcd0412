"""Kafka's properties for an embedded node: alone, or as a member of a cluster on this machine."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

# Small internal topics, and no delay for further group members: this broker serves one run on one machine.
# 9 MB lets a record batch of the input topics (streams.contract.topics.MAX_MESSAGE_BYTES) pass with its overhead.
SETTINGS: Final = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=BROKER://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=BROKER://127.0.0.1:{port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs=data
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.retention.ms=-1
log.cleaner.dedupe.buffer.size=16777216
message.max.bytes=9437184
replica.fetch.max.bytes=9437184
socket.request.max.bytes=104857600
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
"""
STEADY: Final = "broker.session.timeout.ms=60000\n"
"""For a node alone that is never killed.

Kafka takes a node for gone that has not been heard of for three seconds, so that a killed one is soon back. On a busy
machine that is wrong: no other node can take over, its partitions have no leader for a while, and librdkafka (2.12 to
2.14) never again sends to a partition that it has once seen without a leader.
"""
COPIES: Final = 3
"""Replicas of each topic in a cluster, or as many as it has brokers."""
_AMONG_OTHERS: Final = """\
listeners=BROKER://127.0.0.1:{{port}},CONTROLLER://127.0.0.1:{{controller}},INSIDE://127.0.0.1:{{inside}}
advertised.listeners=BROKER://127.0.0.1:{{advertised}},INSIDE://127.0.0.1:{{inside}}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,INSIDE:PLAINTEXT
inter.broker.listener.name=INSIDE
default.replication.factor={copies}
min.insync.replicas={least}
offsets.topic.replication.factor={copies}
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={least}
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={least}
"""


def among_others(brokers: int) -> str:
    """Return the properties of a cluster's member that differ from ``SETTINGS``; all but one replica must have a write.

    Clients and brokers have listeners of their own, so that clients can be given other ports.
    """
    copies = min(COPIES, brokers)
    return _AMONG_OTHERS.format(copies=copies, least=max(1, copies - 1))


@dataclass(frozen=True)
class Member:
    """The number and the ports of a node, which a properties file names in braces.

    Args:
        node: Its number, from 1.
        port: Where it listens to clients.
        advertised: Where clients are sent; a proxy may listen there.
        controller: Where its controller listens.
        inside: Where the other brokers, and the program that started it, reach it.
        extra: Free for settings of the caller.
        voters: All controllers.
    """

    node: int
    port: int
    advertised: int
    controller: int
    inside: int
    extra: int
    voters: str

    def properties(self, template: str) -> str:
        """Return a properties file."""
        return template.format(**asdict(self))


def alone(ports: Sequence[int]) -> Member:
    """Return the only node of a cluster, which needs three free ports."""
    port, controller, extra = ports
    return Member(1, port, port, controller, port, extra, _voters([controller]))


def members(clients: Sequence[int], advertised: Sequence[int], own: Sequence[int]) -> list[Member]:
    """Return the nodes of a cluster.

    Args:
        clients: Where each listens to clients.
        advertised: Where clients of each are sent.
        own: Three more free ports for each.
    """
    voters = _voters(own[::3])
    return [
        Member(n + 1, port, advertised[n], own[3 * n], own[3 * n + 1], own[3 * n + 2], voters)
        for n, port in enumerate(clients)
    ]


def _voters(controllers: Sequence[int]) -> str:
    return ",".join(f"{node}@127.0.0.1:{port}" for node, port in enumerate(controllers, 1))
