"""An engine that does not go on is named, and none whose results only take long to be read."""

import pytest

from joinstorm.run.stalling import GRACE_SECONDS, STALL_SECONDS, Stall
from streams.errors import DeadlineError, EngineError
from streams.read.runview import RunView


def read(moment: float) -> bool:
    """Everything that was written at any moment has been read."""
    return moment >= 0


def test_an_engine_that_counts_nothing_new_is_named_with_the_end_of_its_log() -> None:
    """After a deadline without news; until then nothing happens."""
    now = [0.0]
    stall = Stall("slow", read, clock=lambda: now[0])
    stall.check(RunView(), False, lambda: "; end of the log")
    now[0] = STALL_SECONDS - 1
    stall.check(RunView(), False, lambda: "; end of the log")
    now[0] = STALL_SECONDS + 1
    with pytest.raises(DeadlineError, match=r"slow: nothing new for 90 s; not ended: anything; end of the log"):
        stall.check(RunView(), False, lambda: "; end of the log")
    with pytest.raises(DeadlineError, match=r"slow: nothing new for 90 s: topics a are gone$"):
        stall.check(RunView(), False, lambda: "; end of the log", lambda: ["topics a are gone"])


def test_a_worker_that_waits_for_its_kernels_is_not_called_stuck() -> None:
    """On a busy machine compiling takes minutes; the deadline begins when it is over."""
    now, compiling = [0.0], [True]
    stall = Stall("new", read, clock=lambda: now[0], excused=lambda: compiling[0])
    now[0] = STALL_SECONDS * 3
    stall.check(RunView(), False, str)
    compiling[0] = False
    now[0] += STALL_SECONDS - 1
    stall.check(RunView(), False, str)
    now[0] += 2
    with pytest.raises(DeadlineError, match=r"new: nothing new for 90 s"):
        stall.check(RunView(), False, str)


class _Workers:
    """A stall whose workers are gone or not, at a clock that the test sets; everything is read but in silence."""

    def __init__(self) -> None:
        self.now, self.silent = 100.0, False
        self.stall = Stall("hasty", lambda moment: self.now > moment and not self.silent, clock=lambda: self.now)

    def check(self, gone: bool, later: float) -> None:
        self.now += later
        self.stall.check(RunView(), gone, lambda: "; end of the log")


def test_workers_that_are_gone_may_be_started_again() -> None:
    """After their grace the engine is named; one that was started again in between has all its time again."""
    workers = _Workers()
    workers.check(True, 0)
    workers.check(True, GRACE_SECONDS - 1)
    workers.check(False, 2)
    workers.check(True, 1)
    workers.check(True, GRACE_SECONDS - 1)
    with pytest.raises(EngineError, match=r"hasty: every worker has ended, and its results have not; end of the log"):
        workers.check(True, 2)


def test_results_that_cannot_be_read_are_waited_for() -> None:
    """A silent network is no fault of the engine; what was read before a look counts at the next one."""
    workers = _Workers()
    workers.silent = True
    workers.check(True, 0)
    workers.check(True, GRACE_SECONDS * 3)
    workers.silent = False
    workers.check(True, 1)
    with pytest.raises(EngineError, match="every worker has ended"):
        workers.check(True, 1)
