"""Topics of a run on a broker that is away for a moment; no broker is needed."""

from typing import Any

import pytest
from kafka.errors import InvalidReplicationFactorError

from producers.replay import topiccreation as module
from producers.replay.topiccreation import ensure_topics
from streams.contract.topics import TopicSpec
from streams.errors import BrokerError
from streams.kafka import patience
from streams.kafka.connection import Connection

TOPIC = TopicSpec("night", 1, {})
FENCED = "Unable to replicate the partition 1 time(s): All brokers are currently fenced."
TOO_FEW = "Unable to replicate the partition 3 time(s): only 1 broker(s) are registered."


class Admin:
    """Refuses to create topics with the given texts, one after the other, then creates them."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.made: list[str] = []

    def list_topics(self) -> list[str]:
        """Return what has been made."""
        return self.made

    def create_topics(self, wanted: dict[str, Any], **_: object) -> None:
        """Make topics, or refuse."""
        if self.texts:
            raise InvalidReplicationFactorError(self.texts.pop(0))
        self.made += wanted

    def close(self) -> None:
        """Close nothing."""


def create(admin: Admin, monkeypatch: pytest.MonkeyPatch, replication: int = 1) -> None:
    """Create one topic by an admin client."""
    monkeypatch.setattr(module, "open_admin", lambda _: admin)
    monkeypatch.setattr(patience, "PAUSE_SECONDS", 0)
    ensure_topics(Connection("127.0.0.1:1"), [TOPIC], [], replication)


def test_brokers_that_were_silent_for_a_moment_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The controller of a busy machine fences its only broker until it is heard of again."""
    admin = Admin(FENCED, FENCED)
    create(admin, monkeypatch)
    assert admin.made == ["night"]


def test_more_replicas_than_brokers_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no use to wait; the option is named."""
    with pytest.raises(BrokerError, match=r"--replication 3 needs as many brokers; only 1 broker\(s\) are registered"):
        create(Admin(TOO_FEW, TOO_FEW), monkeypatch, replication=3)
