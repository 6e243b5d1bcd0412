"""The start of a Faust app, and the signals that stop it."""

import asyncio
import signal

import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError

from streams.engines.faust.session import signals, start_app
from streams.errors import AwayError, BrokerError
from streams.kafka.connection import Connection

WHERE = Connection("a:1")


class App:
    """Stands in for a Faust app whose start fails.

    Args:
        error: What the start raises.
    """

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def start(self) -> None:
        """Fail."""
        raise self._error


@pytest.mark.parametrize("error", [KafkaConnectionError("cut"), ConnectionResetError("cut")])
def test_a_start_that_finds_no_broker_may_be_repeated(error: Exception) -> None:
    """The error says that the broker is away."""
    with pytest.raises(AwayError, match=r"a:1: Faust cannot start: .*cut"):
        asyncio.run(start_app(App(error), WHERE))


def test_a_start_that_is_refused_is_final() -> None:
    """A right that is missing does not come back."""
    with pytest.raises(BrokerError) as raised:
        asyncio.run(start_app(App(TopicAuthorizationFailedError("t")), WHERE))
    assert not isinstance(raised.value, AwayError)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_every_signal_that_asks_to_stop_sets_the_event(number: signal.Signals) -> None:
    """The event loop is woken by it; afterwards the handlers from before are back."""
    before = signal.getsignal(number)

    async def wait() -> bool:
        stop = asyncio.Event()
        with signals(stop):
            asyncio.get_running_loop().call_soon(signal.raise_signal, number)
            return await asyncio.wait_for(stop.wait(), 30)

    assert asyncio.run(wait())
    assert signal.getsignal(number) is before
