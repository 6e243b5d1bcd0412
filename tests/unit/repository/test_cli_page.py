"""docs/cli.md is what the commands are."""

from pathlib import Path

from benchmarks.clipage import page
from joinstorm.cli import COMMANDS, load
from joinstorm.variables import variables

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"


def test_the_page_is_as_the_commands_make_it() -> None:
    """After a change of a command: python -m benchmarks.clipage --write docs/cli.md."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_page_has_every_variable() -> None:
    """Each variable of each option of each command stands in a row of its own."""
    text = PAGE.read_text(encoding="utf-8")
    for name in COMMANDS:
        for variable in variables(load(name), (name,)):
            assert text.count(f"| `{variable}` |") == 1, variable
