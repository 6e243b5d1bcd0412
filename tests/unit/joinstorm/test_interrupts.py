"""Signals that end a command: as one exception, once, even where a library swallows it."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator

import pytest

from joinstorm import interrupts
from joinstorm.interrupts import InterruptedRun, interruptible
from streams.system.children import ENDING
from tests.streaming import until


def send(number: int) -> None:
    """Send a signal to this process."""
    os.kill(os.getpid(), number)


def swallowed(number: int) -> None:
    """Send a signal where every exception is swallowed."""
    with contextlib.suppress(BaseException):
        send(number)
        until(lambda: False, "a signal")


def assert_interrupted(work: Callable[[], object]) -> None:
    """Assert that work is interrupted."""
    with pytest.raises(InterruptedRun), interruptible():
        work()


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_ends_the_block(number: int) -> None:
    """It becomes InterruptedRun; handlers and timer are as before."""
    numbers = (*ENDING, signal.SIGALRM)
    before = [signal.getsignal(one) for one in numbers]
    assert_interrupted(lambda: send(number))
    assert [signal.getsignal(one) for one in numbers] == before
    assert signal.getitimer(signal.ITIMER_REAL)[1] == 0


def test_no_signal_no_interruption() -> None:
    """Without a signal nothing is raised, and signals do what they did before."""
    before = signal.getsignal(signal.SIGTERM)
    with interruptible():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_further_signals_do_not_disturb_the_ending() -> None:
    """Neither Ctrl-C nor the timer interrupts the cleaning up of the block, not even inside another exception."""
    done = []

    @contextlib.contextmanager
    def cleaning() -> Iterator[None]:
        try:
            yield
        finally:
            for number in (*ENDING, signal.SIGALRM):
                send(number)
            try:
                int("nothing")
            except ValueError:
                send(signal.SIGINT)
            done.append("cleaned")

    def work() -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(send, signal.SIGINT)
            stack.enter_context(cleaning())
            send(signal.SIGTERM)

    assert_interrupted(work)
    assert done == ["cleaned"]


def test_a_swallowed_interruption_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A swallowed exception is raised again soon, however often: the user need not press Ctrl-C twice."""
    monkeypatch.setattr(interrupts, "AGAIN_SECONDS", 0.02)

    def work() -> None:
        swallowed(signal.SIGTERM)
        with contextlib.suppress(BaseException):
            until(lambda: False, "the first repetition")
        until(lambda: False, "the second repetition")

    assert_interrupted(work)


def test_a_swallowed_interruption_can_be_repeated_by_hand() -> None:
    """A second Ctrl-C works when the first one was swallowed."""

    def work() -> None:
        swallowed(signal.SIGINT)
        send(signal.SIGINT)
        pytest.fail("not interrupted")

    assert_interrupted(work)


def test_a_swallowed_interruption_is_no_success() -> None:
    """A block that ends before the exception is raised again does not count as finished."""
    assert_interrupted(lambda: swallowed(signal.SIGTERM))


def test_nohup_keeps_its_meaning() -> None:
    """A process that ignores SIGHUP from the start goes on when its terminal is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            send(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
