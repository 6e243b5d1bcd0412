"""``joinstorm replay`` takes tapes and captures, and refuses an option that means nothing with its file."""

from pathlib import Path

import pytest

from joinstorm.cli import main
from tests.captures import AT, Row, captured


@pytest.mark.parametrize("words", [["--topic", "t"], ["--timestamps", "shifted"], ["--time-format", "iso"]])
def test_options_of_captures_are_refused_with_a_tape(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Named with what they are for."""
    (tmp_path / "tape").write_bytes(b"PAR1")
    assert main(["replay", str(tmp_path / "tape"), *words]) == 2
    assert capsys.readouterr().err == f"joinstorm: {words[0]} is for captures, and this is a tape\n"


@pytest.mark.parametrize("words", [["--window", "5"], ["--skip-quiet"], ["--no-verify"], ["--topic-prefix", "x"]])
def test_options_of_tapes_are_refused_with_a_capture(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Likewise."""
    captured(tmp_path / "c", {"t": 1}, [("t", 0, [Row(0, AT)])])
    assert main(["replay", str(tmp_path / "c"), "--topic", "t", *words]) == 2
    assert " is for tapes, and this is a capture" in capsys.readouterr().err


def test_a_capture_without_records_cannot_be_played(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so, before any broker is asked."""
    captured(tmp_path / "c", {"t": 1}, [])
    assert main(["replay", str(tmp_path / "c"), "--topic", "t"]) == 2
    assert capsys.readouterr().err == f"joinstorm: {tmp_path / 'c'}: holds no records\n"
