"""The baseline engine on a calm night."""

from pathlib import Path

import pytest

from joinstorm.run.supervisor import Supervisor
from streams.kafka.connection import Connection
from tests.streaming import Feed, Workers, assert_exact, open_night, random_night

pytestmark = pytest.mark.integration


def test_a_calm_night_is_exact(kafka: Connection, unique_run: str, tmp_path: Path) -> None:
    """Without faults and duplicates the stock app counts what the oracle counts."""
    events = random_night(300, 11)
    info = open_night(kafka, unique_run, len(events))
    with Feed(kafka, info) as feed:
        feed.send(events)
        feed.end()
    with Supervisor(tmp_path / "logs") as supervisor:
        Workers(supervisor, kafka, info, "--engine", "faust-tables").start(0).wait(90)
        assert_exact(kafka, info, events, "faust-tables")
