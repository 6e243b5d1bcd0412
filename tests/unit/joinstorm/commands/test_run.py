"""``joinstorm run``: what becomes of a run whose report cannot be drawn."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from joinstorm.commands.run import _report
from joinstorm.report import page
from joinstorm.run.wholejob import RunOutcome


def test_a_report_that_cannot_be_drawn_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verdict stands without its pictures: the failure goes to stderr, and nothing is raised."""

    def fail(*_: Any) -> Path:
        raise ValueError("no picture of this")

    monkeypatch.setattr(page, "write_report", fail)
    tape = SimpleNamespace(info=SimpleNamespace(scenario={}, zone=None))
    outcome = SimpleNamespace(tape=tape, view=None, verdict=None, facts=())
    assert _report(cast("RunOutcome", outcome), tmp_path) is None
    assert "no report was written: ValueError: no picture of this" in capsys.readouterr().err
