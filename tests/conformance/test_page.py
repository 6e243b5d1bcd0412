"""The page is enough: the engine shown on it, written to a file outside the repository, is an engine."""

import re
from pathlib import Path

import pytest

from joinstorm.conformance.certificate import conform
from joinstorm.engines.catalog import engine_under_test
from streams.kafka.connection import Connection
from tests.conformance.base import JOBS, shown_outcome

PAGE = Path(__file__).parents[2] / "docs" / "adding-an-engine.md"


def shown() -> str:
    """Return the Python code of the page."""
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1
    return str(blocks[0])


def test_thirty_lines_are_thirty_lines() -> None:
    """What the page promises holds for the class it shows."""
    body = shown().partition("class ")[2]
    assert len([line for line in body.splitlines() if line.strip()]) <= 30


@pytest.mark.integration
@pytest.mark.timeout(600)
def test_the_engine_of_the_page_is_exact(kafka: Connection, tmp_path: Path) -> None:
    """Copied into a file and given by its path, it passes every point of the certificate."""
    file = tmp_path / "tiny.py"
    file.write_text(shown(), encoding="utf-8")
    outcomes = conform(kafka, engine_under_test(f"{file}:TinyEngine"), tmp_path / "out", jobs=JOBS)
    for one in outcomes:
        assert one.status == "exact", shown_outcome(one)
