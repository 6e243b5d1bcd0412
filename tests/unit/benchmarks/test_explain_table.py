"""The table of explained bugs: one row for each, and a limit that it must keep."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from benchmarks.explain import Row, main
from tests.conformance.plantedbugs import BUGS


def _row(bug: str, events: int = 2, seconds: float = 30.0) -> Row:
    return Row(bug, "clean", events, 7, seconds, 12.3)


@pytest.mark.parametrize(("row", "kept"), [(_row("a"), True), (_row("a", 9), False), (_row("a", 2, 61.0), False)])
def test_more_than_eight_events_or_a_minute_are_too_many(row: Row, kept: bool) -> None:
    """One of both is enough."""
    assert row.kept == kept


def test_rows_that_are_kept_in_a_file_are_not_measured_again(tmp_path: Path) -> None:
    """The table has the order of the planted bugs."""
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(b"".join(msgspec.json.encode(_row(bug.engine)) + b"\n" for bug in reversed(BUGS)))
    done = CliRunner().invoke(main, ["--rows", str(rows)])
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert lines[2] == f"| `{BUGS[0].engine}` | `clean` | 2 | 7 | 30 | 12 |"
    assert len(lines) == 2 + len(BUGS)
