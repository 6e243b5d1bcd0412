"""Extra engines: waited for while they make progress, named when they do not, and never under one name."""

import sys
from pathlib import Path

import pytest

from joinstorm.commands.options import names_in
from joinstorm.run.extraengines import ExtraEngine, any_working, names_of
from joinstorm.run.stalling import STALL_SECONDS
from joinstorm.run.supervisor import Supervisor
from streams.engines.abstract import Engine, Summary, WorkerSettings
from streams.errors import EngineError, UnknownEngineError
from streams.read.runview import RunView


class Double(Engine):
    """Writes under a name that is in use."""

    name = "faust"

    def run(self, settings: WorkerSettings) -> Summary:  # noqa: ARG002 - the contract's signature
        """Do nothing."""
        return Summary(ended=False)


def test_two_engines_cannot_write_under_one_name() -> None:
    """The same engine twice, a namesake, and the truth are refused; an unknown name gets a suggestion."""
    assert names_of("faust", ["kafka-python"]) == {"kafka-python": "kafka-python"}
    for extra in (["faust"], ["kafka-python", "kafka-python"], [f"{__name__}:Double"]):
        with pytest.raises(EngineError, match="both write under the name"):
            names_of("faust", extra)
    with pytest.raises(UnknownEngineError, match="did you mean 'kafka-python'"):
        names_of("faust", ["kafka-pyhton"])


def test_extra_engines_are_named_once_with_commas_or_several_times() -> None:
    """Both, and blanks around the commas, give the same."""
    assert names_in(["quix, bytewax", "kafka-python"]) == ("quix", "bytewax", "kafka-python")
    assert names_in([]) == ()


def test_an_extra_engine_whose_worker_ends_early_is_named(tmp_path: Path) -> None:
    """Its exit code and the end of its log are reported, and it is not waited for; the run's own parts go on."""
    with Supervisor(tmp_path) as supervisor:
        part = supervisor.start("extra-x", [sys.executable, "-c", "import sys; sys.exit('no luck')"], vital=False)
        part.process.wait()
        extra = ExtraEngine("x", part)
        assert not any_working([extra], RunView(), bool)
        supervisor.check()
    assert "exit code 1" in extra.trouble
    assert "no luck" in extra.trouble


def test_an_extra_engine_without_progress_is_given_up(tmp_path: Path) -> None:
    """After a deadline without any news it is not waited for any more."""
    now = [0.0]
    with Supervisor(tmp_path) as supervisor:
        part = supervisor.start("extra-x", [sys.executable, "-c", "import time; time.sleep(600)"], vital=False)
        extra = ExtraEngine("x", part, clock=lambda: now[0])
        assert extra.working(RunView(), bool)
        now[0] = STALL_SECONDS + 1
        assert not extra.working(RunView(), bool)
    assert "nothing new for 90 s" in extra.trouble
