"""A stuck engine is noticed and named with its last words."""

import pytest

from joinstorm.pipeline import STALL_SECONDS, _Stall
from streams.errors import DeadlineError
from streams.runview import RunView


def test_an_engine_that_counts_nothing_new_is_named_with_the_end_of_its_log() -> None:
    """After a deadline without news; until then nothing happens."""
    now = [0.0]
    stall = _Stall("slow", clock=lambda: now[0])
    stall.look(RunView(), lambda: "; last words")
    now[0] = STALL_SECONDS - 1
    stall.look(RunView(), lambda: "; last words")
    now[0] = STALL_SECONDS + 1
    with pytest.raises(DeadlineError, match=r"slow: nothing new for 90 s; not ended: anything; last words"):
        stall.look(RunView(), lambda: "; last words")
