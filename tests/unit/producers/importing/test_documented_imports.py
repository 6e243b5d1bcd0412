"""docs/importing.md: its commands are run as they stand there, and print what stands there."""

import re
import shlex
from pathlib import Path
from typing import Final

import pytest

from joinstorm.cli import main
from producers.importing.settingsfile import load
from streams.errors import EXIT_OK

ROOT: Final = Path(__file__).parents[4]
PAGE: Final = (ROOT / "docs/importing.md").read_text(encoding="utf-8")
BLOCKS: Final = [
    "\n".join(line[4:] for line in block.splitlines()).replace("\\\n", "")
    for block in re.findall(r"(?:^    .+\n)+", PAGE, re.MULTILINE)
]
"""The code blocks, continued lines joined."""
COMMANDS: Final = [
    line for block in BLOCKS for line in block.splitlines() if line.startswith("joinstorm import examples")
]


def name(command: str) -> str:
    """Return the tape a command makes."""
    return shlex.split(command)[shlex.split(command).index("--out") + 1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working folder in which the examples are."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS, ids=name)
def test_an_export_comes_in_by_the_documented_command(
    command: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Zoom, Teams and a chat as they are exported; where the page shows a report, it is the one that is printed."""
    assert main(shlex.split(command)[1:]) == EXIT_OK
    printed = capsys.readouterr().out
    shown = next((block for block in BLOCKS if block.startswith(f"{name(command)}: ")), None)
    if shown is not None:
        assert printed.strip() == shown.strip()
    assert (folder / name(command)).exists()


def test_there_are_three_examples_with_their_reports() -> None:
    """Each is followed by the one command that leads to a verdict and a report."""
    assert [name(command) for command in COMMANDS] == [
        "town-hall.parquet", "review.parquet", "with-chat.parquet", "chat.parquet", "channel.parquet"
    ]  # fmt: skip
    for tape in ("town-hall", "review", "with-chat"):
        assert f"    joinstorm run --tape {tape}.parquet\n" in PAGE


def test_the_documented_settings_can_be_loaded(tmp_path: Path) -> None:
    """Every option that the page shows exists, with a value of the right kind."""
    block = next(block for block in BLOCKS if block.startswith("columns: "))
    (tmp_path / "s.yaml").write_text(block, encoding="utf-8")
    spec = load(tmp_path / "s.yaml")
    missing = [field for field in spec.__struct_fields__ if not re.search(rf"^{field}:", block, re.MULTILINE)]
    assert missing == []
