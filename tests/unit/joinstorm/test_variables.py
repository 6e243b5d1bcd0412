"""The environment variable of each option, and those that nothing reads."""

import click
import pytest
from click.testing import CliRunner

from joinstorm.cli import COMMANDS, cli, load, unread
from joinstorm.variables import NOT_OPTIONS, options_of, variable_of, walk, without_options
from streams.kafka import security

OPTIONS = [
    (path, option) for name in COMMANDS for path, command in walk(load(name), (name,)) for option in options_of(command)
] + [((), option) for option in options_of(cli)]


@pytest.mark.parametrize(
    ("path", "option"), OPTIONS, ids=lambda part: "-".join(part) if isinstance(part, tuple) else part.name
)
def test_every_option_reads_the_variable_of_its_own_name(
    path: tuple[str, ...], option: click.Option, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JOINSTORM_<COMMAND>_<OPTION>, the option by its longest spelling; it wins over one that commands share."""
    spelling = max(option.opts, key=len).removeprefix("--").removeprefix("-")
    name = "_".join(["joinstorm", *path, spelling]).replace("-", "_").upper()
    for shared in NOT_OPTIONS:
        monkeypatch.setenv(shared, "shared")
    monkeypatch.setenv(name, "own")
    assert variable_of(path, option) == name
    assert option.resolve_envvar_value(click.Context(cli)) == "own"


def test_a_subcommand_obeys_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The value counts as if the option had been typed, and a typed option wins."""
    monkeypatch.setenv("JOINSTORM_SCENARIOS_LIST_FORMAT", "json")
    assert CliRunner().invoke(cli, ["scenarios", "list"]).output.startswith("[{")
    assert CliRunner().invoke(cli, ["scenarios", "list", "--format", "text"]).output.startswith("app-outage ")


@pytest.mark.parametrize(
    ("variable", "option"), [("JOINSTORM_BOOTSTRAP_SERVERS", "connection"), ("JOINSTORM_TOPIC_PREFIX", "prefix")]
)
def test_commands_share_two_variables(variable: str, option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broker and topic prefix can be set once for all commands."""
    monkeypatch.setenv(variable, "kafka:9092")
    found = [one for _, one in OPTIONS if one.name == option]
    assert len(found) > 5
    assert all(one.resolve_envvar_value(click.Context(cli)) == "kafka:9092" for one in found)


def test_no_two_options_read_one_variable() -> None:
    """A variable belongs to one option of one command, and is not on the list of the others."""
    names = [variable_of(path, option) for path, option in OPTIONS]
    assert len(set(names)) == len(names)
    assert not set(names) & (NOT_OPTIONS | security.variables())


def test_variables_that_nothing_reads_are_named_with_the_closest_one() -> None:
    """Mistyped options, commands and settings; every known name passes, set or not."""
    known = {variable_of(path, option) for path, option in OPTIONS} | NOT_OPTIONS | security.variables()
    assert unread(dict.fromkeys(known, "1") | {"HOME": "/", "JOINSTORM": "1"}) == []
    lines = unread({"JOINSTORM_RUN_SCAEL": "1", "JOINSTORM_KAFKA_SASL_PASWORD": "secret", "JOINSTORM_QQQQ": ""})
    assert [line.partition("; ")[2] for line in lines] == [
        "did you mean JOINSTORM_KAFKA_SASL_PASSWORD?",
        "docs/cli.md lists every variable",
        "did you mean JOINSTORM_RUN_SCALE?",
    ]
    assert not any("secret" in line for line in lines)


def test_parts_of_a_run_inherit_no_options() -> None:
    """A part gets its options as arguments; what is not an option stays."""
    environ = {"JOINSTORM_REPLAY_ROUNDS": "0", "JOINSTORM_CACHE_DIR": "/c", "JOINSTORM_KAFKA_CONFIG": "/k", "A": "b"}
    assert without_options(environ) == {name: environ[name] for name in list(environ)[1:]}
