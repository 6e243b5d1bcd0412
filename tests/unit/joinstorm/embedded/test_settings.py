"""The properties of an embedded node."""

from joinstorm.embedded.settings import SETTINGS, STEADY, alone, among_others, members


def effective(text: str) -> dict[str, str]:
    """Return the properties as Kafka reads them: a later line overrides an earlier one."""
    return dict(line.split("=", 1) for line in text.splitlines())


def test_a_broker_of_its_own_votes_for_itself() -> None:
    """It has one listener for everything, and topics in one copy."""
    found = effective(alone((9092, 9093, 9094)).properties(SETTINGS + "extra={extra}\n"))
    assert found["controller.quorum.voters"] == "1@127.0.0.1:9093"
    assert found["advertised.listeners"] == "BROKER://127.0.0.1:9092"
    assert found["offsets.topic.replication.factor"] == "1"
    assert found["extra"] == "9094"


def test_members_of_a_cluster_send_clients_elsewhere() -> None:
    """Clients get the advertised port, brokers use another listener, and a write needs two of three replicas."""
    nodes = members([11, 12, 13], [21, 22, 23], list(range(31, 40)))
    found = [effective(node.properties(SETTINGS + among_others(3))) for node in nodes]
    assert [one["node.id"] for one in found] == ["1", "2", "3"]
    assert {one["controller.quorum.voters"] for one in found} == {"1@127.0.0.1:31,2@127.0.0.1:34,3@127.0.0.1:37"}
    assert found[1]["listeners"] == "BROKER://127.0.0.1:12,CONTROLLER://127.0.0.1:34,INSIDE://127.0.0.1:35"
    assert found[1]["advertised.listeners"] == "BROKER://127.0.0.1:22,INSIDE://127.0.0.1:35"
    assert found[0]["inter.broker.listener.name"] == "INSIDE"
    assert (found[0]["offsets.topic.replication.factor"], found[0]["min.insync.replicas"]) == ("3", "2")
    assert found[0]["log.dirs"] == "data"


def test_fewer_brokers_have_fewer_copies() -> None:
    """One or two brokers keep as many copies as they are, five keep three; of two or more, one may be missing."""
    wanted = {1: ("1", "1"), 2: ("2", "1"), 5: ("3", "2")}
    found = {count: effective(among_others(count)) for count in wanted}
    assert {n: (one["default.replication.factor"], one["min.insync.replicas"]) for n, one in found.items()} == wanted


def test_a_broker_that_is_never_killed_keeps_its_lease_on_a_busy_machine() -> None:
    """One that is killed on purpose is to be back soon, so its own lease is short."""
    leases = [int(effective(text)["broker.session.timeout.ms"]) for text in (SETTINGS, SETTINGS + STEADY)]
    assert leases == [3_000, 60_000]
