"""The environment variable of each option, and variables that nothing reads."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import click

from streams.kafka import security
from streams.suggest import nearest

PREFIX: Final = "JOINSTORM"
NOT_OPTIONS: Final = frozenset(
    {
        "JOINSTORM_BOOTSTRAP_SERVERS",  # shared by every command; the command's own variable wins
        "JOINSTORM_TOPIC_PREFIX",  # likewise
        "JOINSTORM_CACHE_DIR",  # streams/system/cache.py
        "JOINSTORM_GRAFANA_URL",  # the login and address of dashboards publish
        "JOINSTORM_GRAFANA_TOKEN",
        "JOINSTORM_GRAFANA_USER",
        "JOINSTORM_GRAFANA_PASSWORD",
        "JOINSTORM_ENGINE_FOLDER",  # streams/engines/environments.py, for the child in an engine's environment
        "JOINSTORM_RUN_INFO",  # the engine external, for the program it starts (docs/adding-an-engine.md)
        "JOINSTORM_RUN_ID",
        "JOINSTORM_ENGINE",
        "JOINSTORM_WORKER",
        "JOINSTORM_STATE_DIR",
        "JOINSTORM_CHECKPOINT_SECONDS",
        "JOINSTORM_IMAGE",  # docker-compose.yml
        "JOINSTORM_REQUIRE_ALL",  # the tests
        "JOINSTORM_TEST_COMPOSE",
    }
)
"""Variables that are not the variable of one option."""


def name_of(*parts: str) -> str:
    """Return the variable of a command, subcommand or option: JOINSTORM_REPLAY_WATERMARK_STEP."""
    return "_".join((PREFIX, *parts)).replace("-", "_").upper()


def variable_of(path: Iterable[str], option: click.Option) -> str:
    """Return an option's own variable: its command's, and the longest spelling of the option."""
    return name_of(*path, max(option.opts, key=len).lstrip("-"))


def options_of(command: click.Command) -> list[click.Option]:
    """Return the options of a command that set something, so neither --help nor --version."""
    return [one for one in command.params if isinstance(one, click.Option) and one.expose_value]


def walk(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield a command and all of its subcommands, each with its path: the names that call it."""
    yield path, command
    if isinstance(command, click.Group):
        for name, below in sorted(command.commands.items()):
            yield from walk(below, (*path, name))


def name_variables(command: click.Command, path: tuple[str, ...]) -> None:
    """Have each option of a command and its subcommands read its own variable, and then those it shares."""
    for own_path, below in walk(command, path):
        for option in options_of(below):
            own = variable_of(own_path, option)
            shared = [option.envvar] if isinstance(option.envvar, str) else option.envvar or []
            option.envvar = [own, *(name for name in shared if name != own)]


def variables(command: click.Command, path: tuple[str, ...]) -> set[str]:
    """Return every variable that a command and its subcommands read."""
    return {variable_of(own, option) for own, below in walk(command, path) for option in options_of(below)}


def suspects(environ: Mapping[str, str]) -> list[str]:
    """Return the variables of an environment that only the option of a command can explain."""
    others = NOT_OPTIONS | security.variables()
    return sorted(name for name in environ if name.startswith(f"{PREFIX}_") and name not in others)


def without_options(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables of options, for a child that gets its options by arguments."""
    dropped = set(suspects(environ))
    return {name: value for name, value in environ.items() if name not in dropped}


def warning(name: str, known: Iterable[str]) -> str:
    """Return the line about a variable that nothing reads."""
    tails = [one.removeprefix(f"{PREFIX}_") for one in sorted({*known, *NOT_OPTIONS, *security.variables()})]
    close = nearest(name.removeprefix(f"{PREFIX}_"), tails)
    hint = f"; did you mean {PREFIX}_{close}?" if close else "; docs/cli.md lists every variable"
    return f"nothing reads the environment variable {name}{hint}"
