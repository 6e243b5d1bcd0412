"""Work beside: it is over outside, what ends it early is known, and looking has an end."""

import threading

import pytest

from streams.system.threads import BackgroundThread, poll_until


def test_the_work_is_over_outside() -> None:
    """Inside a thread works until it is told; outside there is none."""
    begun, ended = threading.Event(), threading.Event()

    def work(over: threading.Event) -> None:
        begun.set()
        over.wait()
        ended.set()

    with BackgroundThread("worker", work) as beside:
        assert begun.wait(10)
        beside.check()
        assert not ended.is_set()
    assert ended.is_set()
    assert "worker" not in [thread.name for thread in threading.enumerate()]


def test_what_ends_the_work_early_is_raised_where_it_is_asked_for() -> None:
    """An error in the thread reaches whoever checks, again and again."""

    def work(_over: threading.Event) -> None:
        raise ValueError("no more")

    with BackgroundThread("worker", work) as beside:
        pass
    for _ in range(2):
        with pytest.raises(ValueError, match="no more"):
            beside.check()


def test_looking_ends_with_what_is_found_or_with_nothing() -> None:
    """The first find is returned; without one it is None, after at least one look."""
    finds = iter([None, None, "here"])
    assert poll_until(lambda: next(finds), 10, 0) == "here"
    looks: list[int] = []
    assert poll_until(lambda: looks.append(1), 0) is None
    assert looks == [1]
