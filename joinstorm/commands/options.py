"""Options that several commands share, each spelled once; importing them loads no room of the program."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import click

from streams.contract.topics import DEFAULT_PARTITIONS
from streams.errors import JoinstormError
from streams.kafka.connection import DEFAULT_BOOTSTRAP, SERVERS_VARIABLE, Connection, connection_from

if TYPE_CHECKING:
    from joinstorm.engines.engineoptions import EngineOption
    from streams.contract.runinfo import RunInfo

_F = TypeVar("_F", bound=Callable[..., Any])

# What some rooms know by name. It is spelled again here, because --help must not import them; a test compares.
CLIENTS: Final = ("kafka-python", "aiokafka")
MAX_SPEED: Final = "max"

FILE: Final = click.Path(path_type=Path, dir_okay=False)
FOLDER: Final = click.Path(path_type=Path, file_okay=False)


class Decorator(Protocol):
    """Adds an option to a command."""

    def __call__(self, command: _F, /) -> _F:
        """Return the command with the option."""
        ...


class ConnectionParam(click.ParamType):
    """Turns ``host:port[,host:port]`` into a ``Connection``."""

    name = "HOST:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Connection:
        """Check the form of every address; whether a broker answers shows on use."""
        if isinstance(value, Connection):
            return value
        for server in str(value).split(","):
            host, colon, port = server.strip().rpartition(":")
            if not (host and colon and port.isdigit() and 0 < int(port) < 65536):  # noqa: PLR2004 - the last TCP port
                self.fail(f"{server!r}: expected host:port, several separated by commas", param, ctx)
        return connection_from(str(value), os.environ)


class SpeedParam(click.ParamType):
    """A speed: a number of at least 0.1, or ``max``, which becomes 0."""

    name = "N|max"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the speed as a number."""
        from producers.replay.deck import speed_of

        try:
            return value if isinstance(value, float) else speed_of(str(value))
        except JoinstormError as error:
            self.fail(str(error), param, ctx)


# Kafka


def bootstrap_servers(*, embedded: bool = False) -> Decorator:
    """``--bootstrap-servers``, passed on as ``connection``; every command also reads JOINSTORM_BOOTSTRAP_SERVERS.

    Args:
        embedded: Without the option the command starts a broker of its own (``None``).
    """
    return click.option(
        "--bootstrap-servers",
        "connection",
        type=ConnectionParam(),
        envvar=SERVERS_VARIABLE,
        default=None if embedded else DEFAULT_BOOTSTRAP,
        show_default="an embedded Kafka" if embedded else True,
        help="Kafka brokers, comma-separated.",
    )


def topic_prefix(command: _F) -> _F:
    """``--topic-prefix``, put before every topic name."""
    return click.option(
        "--topic-prefix", "prefix", default="", envvar="JOINSTORM_TOPIC_PREFIX", help="Prefix of every topic name."
    )(command)


def run_id(command: _F) -> _F:
    """``--run``, the run to work on; without it the newest one in run.info."""
    return click.option("--run", "run", default=None, show_default="the newest run", metavar="ID", help="Run id.")(
        command
    )


def partitions(command: _F) -> _F:
    """``--partitions`` of each input topic."""
    return click.option(
        "--partitions", type=click.IntRange(1, 1000), default=DEFAULT_PARTITIONS, help="Partitions of each input topic."
    )(command)


def replication(command: _F) -> _F:
    """``--replication`` of every topic."""
    return click.option(
        "--replication", type=click.IntRange(1, 100), default=1, help="Replication factor of each topic."
    )(command)


def client(command: _F) -> _F:
    """``--client``, the library that produces."""
    return click.option(
        "--client", type=click.Choice(CLIENTS), default=CLIENTS[0], help="Kafka library that sends the events."
    )(command)


# The night and its tape


def scale(default: float) -> Decorator:
    """``--scale``, the size of the night."""
    return click.option(
        "--scale", type=click.FloatRange(0, 100, min_open=True), default=default, help="Size; 1 is the real size."
    )


def seed(text: str = "Seed of the simulation.", default: int | None = None) -> Decorator:
    """``--seed``; without a default it is the scenario's own."""
    shown = True if default is not None else "the scenario's"
    return click.option("--seed", type=click.IntRange(0), default=default, show_default=shown, help=text)


def tape(text: str, *, exists: bool = False, shown: str = "") -> Decorator:
    """``--tape``, a recorded night.

    Args:
        text: What it is for.
        exists: Whether a missing file is refused at once.
        shown: How --help describes what is used without it.
    """
    kind = click.Path(path_type=Path, dir_okay=False, exists=exists)
    return click.option("--tape", type=kind, default=None, show_default=shown or True, help=text)


# The replay


def speed(default: str) -> Decorator:
    """``--speed``, event seconds per second."""
    return click.option(
        "--speed", type=SpeedParam(), default=default, help="Event seconds per second, from 0.1; max: no pacing."
    )


def moments(command: _F) -> _F:
    """``--from`` and ``--until``, the part of the night that is paced; passed on as ``begin`` and ``until``."""
    begin = click.option(
        "--from", "begin", default=None, metavar="MOMENT", help="Send everything before MOMENT at full speed."
    )
    until = click.option("--until", default=None, metavar="MOMENT", help="Send everything after MOMENT at full speed.")
    return begin(until(command))


def faults(command: _F) -> _F:
    """``--fault KIND=RATE[:TIME]``, several times, and ``--fault-seed``; passed on as ``fault`` and ``fault_seed``."""
    seed = click.option(
        "--fault-seed", type=click.IntRange(0), default=0, help="Seed that selects the affected events."
    )
    text = "Inject duplicate, out-of-order, late, corrupt or missing events; repeatable."
    return click.option("--fault", multiple=True, metavar="KIND=RATE[:TIME]", help=text)(seed(command))


# Engines


class EngineOptionParam(click.ParamType):
    """Turns ``key=value`` or ``NAME:key=value`` into an ``EngineOption``; in a variable, split as by a shell."""

    name = "[NAME:]KEY=VALUE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """Return the option."""
        from joinstorm.engines.engineoptions import parse

        try:
            return parse(value) if isinstance(value, str) else value
        except JoinstormError as error:
            self.fail(str(error), param, ctx)

    def split_envvar_value(self, rv: str) -> list[str]:
        """Return the options in an environment variable."""
        return shlex.split(rv)


ENGINE_HELP: Final = "Engine: a name, module:Class, file.py:Class, external:COMMAND or an engine.toml."


def engine(text: str = ENGINE_HELP, default: str | None = "faust") -> Decorator:
    """``--engine``; ``text`` is its help."""
    return click.option("--engine", default=default, help=text)


def workers(most: int | None = None) -> Decorator:
    """``--workers``, the processes of one engine."""
    return click.option("--workers", type=click.IntRange(1, most), default=1, help="Worker processes of the engine.")


def engine_name(command: _F) -> _F:
    """``--name``, under which an engine's results are published."""
    text = "Name to publish the results under."
    return click.option("--name", default=None, show_default="the engine's own", help=text)(command)


def engine_options(command: _F) -> _F:
    """``--option KEY=VALUE``, several times, for a command with one engine; passed on as the dict ``options``."""
    return click.option(
        "--option",
        "options",
        multiple=True,
        type=EngineOptionParam(),
        metavar="KEY=VALUE",
        callback=lambda _ctx, _param, given: _of_one_engine(given),
        help="Option of this engine; repeatable.",
    )(command)


def engines_options(command: _F) -> _F:
    """``--option [NAME:]KEY=VALUE``, several times, for a command with several engines; passed on as ``options``."""
    return click.option(
        "--option",
        "options",
        multiple=True,
        type=EngineOptionParam(),
        help="Option of every engine, or of the one named; repeatable.",
    )(command)


def deadline(command: _F) -> _F:
    """``--deadline``, how long to wait for engines."""
    return click.option(
        "--deadline", type=click.FloatRange(0), default=300.0, help="Seconds to wait until the engine has finished."
    )(command)


def metrics_port(default: int | None) -> Decorator:
    """``--metrics-port``, where /metrics is served; without a default it is not."""
    return click.option(
        "--metrics-port",
        type=click.IntRange(0, 65535),
        default=default,
        show_default="none" if default is None else True,
        help="Port of /metrics; 0: any free port.",
    )


def remote_write(command: _F) -> _F:
    """``--remote-write``, the Prometheus that gets event-time series."""
    return click.option(
        "--remote-write",
        default="",
        show_default="none",
        metavar="URL",
        help="Prometheus that gets the night in its own time, as http://127.0.0.1:9090.",
    )(command)


# Output


def out_folder(text: str, *, required: bool = False, default: Path | None = None, shown: str = "") -> Decorator:
    """``--out``, a folder that is made if missing.

    Args:
        text: What it is for.
        required: Whether it must be given.
        default: What it is otherwise.
        shown: How --help describes a default that is not a constant.
    """
    return click.option("--out", type=FOLDER, required=required, default=default, show_default=shown or True, help=text)


def out_file(text: str, *, required: bool = False, shown: str = "") -> Decorator:
    """``--out``, a file; the arguments are those of ``out_folder``."""
    return click.option("--out", type=FILE, required=required, show_default=shown or True, help=text)


def picture(text: str, default: Path | None = None) -> Decorator:
    """``--picture``, a file that ends in .png or .svg; ``text`` is its help."""
    return click.option("--picture", type=FILE, default=default, help=text)


def output_format(
    *choices: str, default: str | None = "text", text: str = "Output format on stdout.", shown: str = ""
) -> Decorator:
    """``--format``, passed on as ``form``.

    Args:
        choices: The formats; ``text`` and ``json`` if none are given.
        default: The usual one.
        text: What has that format.
        shown: How --help describes a default that is not a constant.
    """
    kind = click.Choice(choices or ("text", "json"))
    return click.option("--format", "form", type=kind, default=default, show_default=shown or True, help=text)


def _of_one_engine(given: Iterable[EngineOption]) -> dict[str, str]:
    for option in given:
        if option.engine:
            raise click.BadParameter(f"{option.engine}:{option.key}: expected KEY=VALUE, as there is one engine")
    return {option.key: option.value for option in given}


def names_in(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the names of an option that is given several times, or once with commas, or both."""
    return tuple(name.strip() for text in texts for name in text.split(",") if name.strip())


def board_of(info: RunInfo, engine: str) -> str:
    """Return the address of the board *The launch* with a run's range, the run and the engine."""
    from dashboards.address import GRAFANA, LAUNCH, board_address, first_stretch

    variables = {"run": info.run, "engine": engine}
    grafana = os.environ.get("JOINSTORM_GRAFANA_URL", GRAFANA)
    return board_address(LAUNCH, *first_stretch(info.phases, info.start, info.end), variables, grafana)
