"""``joinstorm explain``: a wrong engine is shown by a few events; a right one has nothing to explain."""

from pathlib import Path

import msgspec
import pytest

from joinstorm.cli import main
from streams.errors import EXIT_FAILED, EXIT_OK
from streams.kafka.connection import Connection
from tests.conformance.plantedbugs import spelled

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def test_the_fewest_events_that_show_a_bug(
    kafka: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rejoin after exactly 60 s is all it takes; the small night is written in the format of golden nights."""
    engine = spelled("LessThanAMinute")
    where = ["--bootstrap-servers", kafka.bootstrap_servers, "--point", "golden-doors"]
    assert main(["explain", engine, *where, "--out", str(tmp_path), "--format", "json"]) == EXIT_FAILED
    found = msgspec.json.decode(capsys.readouterr().out)
    assert len(found["events"]) == 1
    assert '"since_drop_ms":60000' in found["events"][0]
    assert (found["first"]["count"], found["first"]["expected"], found["first"]["found"]) == ("rejoins_60s", 1, 0)
    lines = (tmp_path / "input.jsonl").read_bytes().splitlines()
    assert sum(b'"event_id"' in line for line in lines) == 1
    assert b'"rejoins_60s":1' in (tmp_path / "expected.jsonl").read_bytes()


def test_a_right_engine_has_nothing_to_explain(kafka: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 0."""
    where = ["--bootstrap-servers", kafka.bootstrap_servers, "--point", "golden-doors"]
    assert main(["explain", "kafka-python", *where]) == EXIT_OK
    assert "exact on 1 points, there is nothing to explain" in capsys.readouterr().err
