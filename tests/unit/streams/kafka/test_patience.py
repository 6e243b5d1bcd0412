"""Patience with a broker that is away: bounded, and only for errors that may pass."""

import asyncio
import ssl
from collections.abc import Callable

import pytest
from aiokafka import errors as aiokafka_errors
from kafka import errors

from streams.errors import AwayError, BrokerError
from streams.kafka import patience
from streams.kafka.admin import failed, passes
from streams.kafka.connection import Connection
from streams.kafka.patience import patiently, patiently_awaited


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test sleep."""
    monkeypatch.setattr(patience, "PAUSE_SECONDS", 0.0)


Repeat = Callable[[Callable[[], object]], object]


def in_a_loop(do: Callable[[], object]) -> object:
    """Repeat in an event loop."""

    async def attempt() -> object:
        return do()

    return asyncio.run(patiently_awaited(attempt))


@pytest.mark.parametrize("repeat", [patiently, in_a_loop])
def test_it_is_tried_again_until_the_broker_is_back(caplog: pytest.LogCaptureFixture, repeat: Repeat) -> None:
    """The wait is announced once."""
    outcomes: list[str | Exception] = [AwayError("nobody at a:1"), AwayError("nobody at a:1"), "here"]

    def attempt() -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    assert repeat(attempt) == "here"
    assert [record.getMessage() for record in caplog.records] == ["nobody at a:1; waiting for it, 30 s at most"]


@pytest.mark.parametrize("error", [AwayError("nobody at a:1"), BrokerError("refused")])
def test_it_ends_with_the_last_reason(error: BrokerError) -> None:
    """A broker that stays away is given up; a refusal is raised at once."""
    attempts: list[int] = []

    def attempt() -> None:
        attempts.append(1)
        raise error

    with pytest.raises(type(error), match=str(error)):
        patiently(attempt, seconds=0)
    assert len(attempts) == 1


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (errors.NodeNotReadyError(), True),
        (aiokafka_errors.KafkaConnectionError(), True),
        (ssl.SSLCertVerificationError(), False),
        (errors.InvalidReplicationFactorError(), False),
        (aiokafka_errors.TopicAuthorizationFailedError(), False),
    ],
)
def test_only_what_may_pass_counts_as_away(error: Exception, away: bool) -> None:
    """Connections and leaders come back; certificates, rights and settings do not change by themselves."""
    assert passes(error) == away
    found = failed(Connection("a:1"), "cannot write t", error)
    assert isinstance(found, AwayError) == away
    assert str(found).startswith("a:1: cannot write t: ")
