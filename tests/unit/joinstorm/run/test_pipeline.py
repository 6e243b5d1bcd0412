"""The parts of a run: impossible moments are refused before anything is opened."""

from pathlib import Path
from typing import Any

import pytest

from joinstorm.run.pipeline import Pipeline, PipelineRequest
from joinstorm.run.supervisor import Supervisor
from streams.errors import EnvironmentMissingError, UsageError
from streams.kafka.connection import Connection
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
