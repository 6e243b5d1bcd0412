"""Options of engines: for every engine of a command, or for the one named."""

import click
import pytest
from click.testing import CliRunner

from joinstorm.commands import options
from joinstorm.engines.engineoptions import EngineOption, arguments, by_engine, parse
from streams.errors import UsageError


def test_an_option_is_for_all_or_for_one() -> None:
    """An engine is named as it was given, colons included; the value may hold anything."""
    assert parse("command=java -jar a=b:c.jar") == EngineOption("", "command", "java -jar a=b:c.jar")
    assert parse("flink:flink.a.b=c") == EngineOption("flink", "flink.a.b", "c")
    assert parse("mine.py:Mine:depth=3") == EngineOption("mine.py:Mine", "depth", "3")
    for text in ("command", "=x", "flink:=x"):
        with pytest.raises(UsageError, match="expected KEY=VALUE"):
            parse(text)


def test_options_come_to_the_engines_they_are_for() -> None:
    """One that names its engine wins; the name of its results is as good as the way it was given."""
    given = [parse(text) for text in ("external:command=b", "a=1", "command=a")]
    assert by_engine(given, ["faust", "external:./x"]) == {
        "faust": {"a": "1", "command": "a"},
        "external:./x": {"a": "1", "command": "b"},
    }
    assert arguments({"a": "1", "b": "x y"}) == ["--option", "a=1", "--option", "b=x y"]


def test_an_option_for_an_engine_that_is_not_there_is_refused() -> None:
    """With the name that was probably meant."""
    with pytest.raises(UsageError, match="did you mean 'kafka-python'"):
        by_engine([parse("kafka-pyhton:a=1")], ["kafka-python"])


def test_options_by_environment_are_split_as_by_a_shell() -> None:
    """So that a command line can be one of them."""

    @click.command()
    @options.engines_options
    def command(options: tuple[EngineOption, ...]) -> None:
        click.echo([tuple(one) for one in options])

    command.params[0].envvar = "THE_OPTION"
    found = CliRunner().invoke(command, env={"THE_OPTION": "'external:command=java -jar x' a=1"})
    assert found.output.strip() == "[('external', 'command', 'java -jar x'), ('', 'a', '1')]"
