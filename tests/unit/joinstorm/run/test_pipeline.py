"""The parts of a run: impossible moments are refused before anything is opened, and a stuck engine is named."""

from pathlib import Path
from typing import Any

import pytest

from joinstorm.run.pipeline import GRACE_SECONDS, STALL_SECONDS, Pipeline, PipelineRequest, _Stall
from joinstorm.run.supervisor import Supervisor
from streams.errors import DeadlineError, EngineError, EnvironmentMissingError, UsageError
from streams.kafka.connection import Connection
from streams.read.runview import RunView
from tests.tinytape import tiny_tape


@pytest.mark.parametrize(
    ("moments", "message"),
    [({"begin": "tlak"}, "unknown phase 'tlak'; did you mean 'talk'"), ({"until": "talk+9h"}, "outside")],
)
def test_moments_are_checked_on_the_tape(tmp_path: Path, moments: dict[str, Any], message: str) -> None:
    """A range that is none of the night's is refused without asking the broker, with what is allowed."""
    tape = tiny_tape(tmp_path / "night.parquet")
    with Supervisor(tmp_path / "logs") as supervisor:
        pipeline = Pipeline(PipelineRequest(tape.path, Connection("127.0.0.1:9"), **moments), supervisor)
        with pytest.raises(UsageError, match=message):
            pipeline.open()


def test_a_run_without_a_producer_has_no_deck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing plays there is no deck, and the error reports it."""
    monkeypatch.setattr("producers.replay.control.address_folder", lambda: tmp_path / "addresses")
    with Supervisor(tmp_path / "logs") as supervisor:
        pipeline = Pipeline(PipelineRequest(tmp_path / "none", Connection()), supervisor)
        with pytest.raises(EnvironmentMissingError, match="no replay is running here"):
            pipeline.deck()


def test_an_engine_that_counts_nothing_new_is_named_with_the_end_of_its_log() -> None:
    """After a deadline without news; until then nothing happens."""
    now = [0.0]
    stall = _Stall("slow", clock=lambda: now[0])
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
    stall = _Stall("new", clock=lambda: now[0], excused=lambda: compiling[0])
    now[0] = STALL_SECONDS * 3
    stall.check(RunView(), False, str)
    compiling[0] = False
    now[0] += STALL_SECONDS - 1
    stall.check(RunView(), False, str)
    now[0] += 2
    with pytest.raises(DeadlineError, match=r"new: nothing new for 90 s"):
        stall.check(RunView(), False, str)


def test_workers_that_are_gone_are_given_the_time_in_which_their_results_are_read() -> None:
    """Then the engine is named; one that was started again in between has all its time again."""
    now = [100.0]
    stall = _Stall("hasty", clock=lambda: now[0])

    def check(gone: bool, later: float) -> None:
        now[0] += later
        stall.check(RunView(), gone, lambda: "; end of the log")

    check(True, 0)
    check(True, GRACE_SECONDS - 1)
    check(False, 2)
    check(True, 1)
    check(True, GRACE_SECONDS - 1)
    with pytest.raises(EngineError, match=r"hasty: every worker has ended, and its results have not; end of the log"):
        check(True, 2)
