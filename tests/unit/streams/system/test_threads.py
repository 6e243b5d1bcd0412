"""Background work ends with its block, its errors are reported, and polling has a time limit."""

import threading

import pytest

from streams.system.threads import BackgroundThread, poll_until


def test_the_work_is_over_outside() -> None:
    """The thread works until the block is left; afterwards there is none."""
    begun, ended = threading.Event(), threading.Event()

    def work(over: threading.Event) -> None:
        begun.set()
        over.wait()
        ended.set()

    with BackgroundThread("worker", work) as background:
        assert begun.wait(10)
        background.check()
        assert not ended.is_set()
    assert ended.is_set()
    assert "worker" not in [thread.name for thread in threading.enumerate()]


def test_what_ends_the_work_early_is_raised_where_it_is_asked_for() -> None:
    """Every check raises the error of the thread."""

    def work(_over: threading.Event) -> None:
        raise ValueError("no more")

    with BackgroundThread("worker", work) as background:
        background._thread.join()
        for _ in range(2):
            with pytest.raises(ValueError, match="no more"):
                background.check()


def test_what_nobody_asked_for_is_raised_where_the_block_ends() -> None:
    """An unexpected error is not lost, but one that ends the block comes first."""

    def work(_over: threading.Event) -> None:
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"), BackgroundThread("worker", work):
        pass
    with pytest.raises(KeyError, match="the block's"), BackgroundThread("worker", work):
        raise KeyError("the block's")


def test_a_thread_that_does_not_end_in_time_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    """A warning names it; the block ends."""
    goes_on = threading.Event()

    def wait(_over: threading.Event) -> None:
        goes_on.wait()

    with BackgroundThread("worker", wait, end_seconds=0.01):
        pass
    goes_on.set()
    assert "thread worker goes on after 0.01 s" in caplog.text


def test_looking_ends_with_what_is_found_or_with_nothing() -> None:
    """The first value is returned; without one it is None, after at least one call."""
    finds = iter([None, None, "here"])
    assert poll_until(lambda: next(finds), 10, 0) == "here"
    calls: list[int] = []
    assert poll_until(lambda: calls.append(1), 0) is None
    assert calls == [1]
