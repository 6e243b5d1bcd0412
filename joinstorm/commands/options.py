"""Options that several commands share, each spelled once."""

import os
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from streams.kafka.connection import DEFAULT_BOOTSTRAP, SERVERS_VARIABLE, Connection, connection_from

_F = TypeVar("_F", bound=Callable[..., Any])


class ConnectionParam(click.ParamType):
    """Turns ``host:port[,host:port]`` into a ``Connection``."""

    name = "HOST:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Connection:
        """Check the form of every address; whether anybody answers is seen on use."""
        if isinstance(value, Connection):
            return value
        for server in str(value).split(","):
            host, colon, port = server.strip().rpartition(":")
            if not (host and colon and port.isdigit() and 0 < int(port) < 65536):  # noqa: PLR2004 - the last TCP port
                self.fail(f"{server!r}: expected host:port, several separated by commas", param, ctx)
        return connection_from(str(value), os.environ)


def bootstrap_servers(*, embedded: bool = False) -> Callable[[_F], _F]:
    """``--bootstrap-servers``, passed on as ``connection``; for all commands also JOINSTORM_BOOTSTRAP_SERVERS.

    Args:
        embedded: Without it the command uses a broker of its own (``None``), not the usual address.
    """
    return click.option(
        "--bootstrap-servers",
        "connection",
        type=ConnectionParam(),
        envvar=SERVERS_VARIABLE,
        default=None if embedded else DEFAULT_BOOTSTRAP,
        help="Kafka that is already there, as host:port[,host:port].",
    )


def topic_prefix(command: _F) -> _F:
    """``--topic-prefix``, put before every topic name."""
    return click.option(
        "--topic-prefix", "prefix", default="", envvar="JOINSTORM_TOPIC_PREFIX", help="Put before every topic name."
    )(command)


def run_id(command: _F) -> _F:
    """``--run``, the run to work on; without it the newest one in run.info."""
    return click.option("--run", "run", default=None, metavar="ID", help="Run id; the newest run if not given.")(
        command
    )


def scale(default: float) -> Callable[[_F], _F]:
    """``--scale``, the size of the night."""
    return click.option(
        "--scale", type=click.FloatRange(0, 100, min_open=True), default=default, help="1 is the real size."
    )


def seed(command: _F) -> _F:
    """``--seed``, which of all such nights."""
    return click.option(
        "--seed",
        type=click.IntRange(0),
        default=None,
        help="Another night of the same kind; the scenario's own if not given.",
    )(command)


def faults(command: _F) -> _F:
    """``--fault KIND=RATE[:TIME]``, several times, and ``--fault-seed``; passed on as ``fault`` and ``fault_seed``."""
    seed = click.option("--fault-seed", type=click.IntRange(0), default=0, help="Another one hits other events.")
    words = "Goes wrong in the stream: duplicate, out-of-order, late, corrupt, missing; several times."
    return click.option("--fault", multiple=True, metavar="KIND=RATE[:TIME]", help=words)(seed(command))


def engine_options(command: _F) -> _F:
    """``--option NAME=VALUE``, several times; passed on as the dict ``options``."""
    return click.option(
        "--option",
        "options",
        multiple=True,
        metavar="NAME=VALUE",
        callback=lambda _ctx, _param, texts: dict(map(_named, texts)),
        help="A setting of one engine alone.",
    )(command)


def _named(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise click.BadParameter(f"{text!r}: expected NAME=VALUE")
    return name, value


def names_in(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the names of an option that is given several times, or once with commas, or both."""
    return tuple(name.strip() for text in texts for name in text.split(",") if name.strip())
