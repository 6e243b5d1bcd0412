"""The command line as a user meets it."""

import pytest
from click.testing import CliRunner

from joinstorm.cli import LazyGroup, cli, main
from streams.errors import EXIT_USAGE


@pytest.mark.parametrize("name", sorted(LazyGroup.commands_by_name))
def test_every_command_has_help_that_starts_with_a_sentence(name: str) -> None:
    """--help works for every command and says what the command does."""
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0, result.output
    command = cli.get_command(None, name)  # type: ignore[arg-type]  # the lazy group needs no context
    assert command is not None
    assert command.get_short_help_str(200).endswith(".")


def test_a_mistyped_command_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown command names the closest known one and ends with the code of a usage error."""
    assert main(["rnu"]) == EXIT_USAGE
    assert "unknown command 'rnu'; did you mean 'run'?" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["run", "conform", "compare", "backfill"])
def test_whole_jobs_bring_their_own_broker(name: str) -> None:
    """Without --bootstrap-servers they start one, rather than look for one at the usual address."""
    command = cli.get_command(None, name)  # type: ignore[arg-type]  # the lazy group needs no context
    assert command is not None
    assert [one.default for one in command.params if one.name == "connection"] == [None]


def test_every_option_says_what_it_does() -> None:
    """No option of any command is without help."""
    for name in LazyGroup.commands_by_name:
        command = cli.get_command(None, name)  # type: ignore[arg-type]  # the lazy group needs no context
        assert command is not None
        for parameter in command.params:
            assert getattr(parameter, "help", None) or parameter.param_type_name == "argument", (
                f"{name} {parameter.name}"
            )
