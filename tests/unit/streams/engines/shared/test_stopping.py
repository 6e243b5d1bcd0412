"""The signals that ask a worker to stop."""

import signal

import pytest

from streams.engines.shared.stopping import stop_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_every_signal_that_asks_to_stop_sets_the_event(number: signal.Signals) -> None:
    """A closed terminal is one of them; afterwards the handlers from before are back."""
    before = signal.getsignal(number)
    with stop_signals() as stop:
        assert not stop.is_set()
        signal.raise_signal(number)
        assert stop.is_set()
    assert signal.getsignal(number) is before
