"""A run that cannot go on: its last line names the topic that is gone, or why the broker ended."""

import contextlib
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

from joinstorm.cli import main
from joinstorm.embedded.broker import EmbeddedBroker
from joinstorm.run import wholejob
from joinstorm.run.pipeline import Pipeline
from joinstorm.run.supervisor import ChildProcess
from streams.contract.topics import CHECKPOINTS, RESULTS_AUDIENCE, TWEETS, Topics
from streams.kafka.admin import open_admin
from streams.kafka.connection import Connection
from tests.tinytape import tiny_tape

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return a run of a small night that gives up after a few seconds without news.

    Its first argument is called when all parts but the producer were started.
    """
    monkeypatch.setattr("joinstorm.run.stalling.STALL_SECONDS", 3.0)
    tape = tiny_tape(tmp_path / "night.parquet", people=50)
    start = Pipeline.start_replay

    def run(spoil: Callable[[Pipeline], object], *options: str) -> int:
        def spoilt(pipeline: Pipeline, *further: str) -> ChildProcess:
            spoil(pipeline)
            return start(pipeline, *further)

        monkeypatch.setattr(Pipeline, "start_replay", spoilt)
        return main(["run", "--tape", str(tape.path), "--out", str(tmp_path / "out"), *options])

    return run


@pytest.mark.parametrize("base", [TWEETS, RESULTS_AUDIENCE, CHECKPOINTS])
def test_a_topic_that_was_deleted_is_named(
    kafka: Connection, unique_run: str, play: Callable[..., int], base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, and the name of the topic."""
    prefix = f"{unique_run}."
    names: list[str] = []

    def delete(pipeline: Pipeline) -> None:
        names.append(Topics(pipeline.request.run, prefix).full(base))
        with contextlib.closing(open_admin(kafka)) as admin:
            admin.delete_topics(names)

    assert play(delete, "--bootstrap-servers", kafka.bootstrap_servers, "--topic-prefix", prefix) == 1
    assert f"topics {names[0]} are gone: they were deleted during the run" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits the files of another process")
def test_a_broker_that_cannot_write_is_named(
    play: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No file of the embedded broker may grow any more, as on a full disk: exit code 3, and Kafka's own reason."""
    brokers: list[EmbeddedBroker] = []

    class Noted(EmbeddedBroker):
        def __enter__(self) -> Self:
            super().__enter__()
            brokers.append(self)
            return self

    monkeypatch.setattr(wholejob, "EmbeddedBroker", Noted)

    def fill(_: Pipeline) -> None:
        pid = brokers[0].pid
        assert pid is not None
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, 1))

    assert play(fill) == 3
    assert "the embedded Kafka ended by itself: " in capsys.readouterr().err.splitlines()[-1]
