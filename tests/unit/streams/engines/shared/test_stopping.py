"""The signals that ask a worker to stop, and what a stop cuts short."""

import signal
import threading

import pytest

from streams.engines.shared.stopping import acting_on_stop, stop_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_every_signal_that_asks_to_stop_sets_the_event(number: signal.Signals) -> None:
    """A closed terminal is one of them; afterwards the handlers from before are back."""
    before = signal.getsignal(number)
    with stop_signals() as stop:
        assert not stop.is_set()
        signal.raise_signal(number)
        assert stop.is_set()
    assert signal.getsignal(number) is before


def test_a_stop_inside_the_block_is_acted_on_once() -> None:
    """What blocks is cut short from another thread; the block itself goes on to its end."""
    stop, cut = threading.Event(), threading.Event()
    with acting_on_stop(stop, cut.set, "test-stop"):
        assert not cut.is_set()
        stop.set()
        assert cut.wait(30)


def test_without_a_stop_nothing_is_cut_short() -> None:
    """A stop after the block finds nobody who watches."""
    stop, cut = threading.Event(), threading.Event()
    with acting_on_stop(stop, cut.set, "test-stop"):
        pass
    stop.set()
    assert not cut.is_set()
    assert "test-stop" not in {thread.name for thread in threading.enumerate()}
