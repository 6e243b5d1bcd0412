"""``joinstorm engines``: what is known and installed, and the files for authors of engines."""

import os
import shutil
import textwrap
from pathlib import Path

import click

from joinstorm.commands import options
from joinstorm.output import echo


@click.group(invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List, install and remove engines.

    Without a subcommand: every engine, whether it is installed, and the limits of its design.
    """
    from streams.engines import registry

    if context.invoked_subcommand is None:
        for name in registry.names():
            echo(_described(name))


def _described(name: str) -> str:
    from joinstorm.engines.catalog import entry, state

    known = entry(name)
    lines = [f"{name:<14}{known.what}", f"{'':14}{state(name)}"]
    if known.limits:
        lines += textwrap.wrap(known.limits, 106, initial_indent=" " * 14, subsequent_indent=" " * 14)
    return "\n".join(lines)


@command.command()
@click.argument("names", nargs=-1, required=True)
def install(names: tuple[str, ...]) -> None:
    """Create the environments of engines.

    For engines whose libraries are not installed with joinstorm.
    """
    from joinstorm.engines import installation

    for name in names:
        echo(f"installing {name} …", err=True)
        echo(f"{name}: {installation.install(name, os.environ)}")


@command.command()
@click.argument("names", nargs=-1, required=True)
def remove(names: tuple[str, ...]) -> None:
    """Remove the environments of engines."""
    from joinstorm.engines import installation

    for name in names:
        installation.remove(name, os.environ)


_OUT = options.out_folder("Folder to write to.", required=True)


@command.command(name="schemas")
@_OUT
def write_schemas(out: Path) -> None:
    """Write the JSON Schema of every record."""
    from streams.contract import schemas

    for path in schemas.write(out):
        echo(path)


@command.command()
@_OUT
def golden(out: Path) -> None:
    """Write the golden nights.

    Each is a set of input records and the results they must give.
    """
    from streams.golden import FILES, FOLDER, NIGHTS

    for name in NIGHTS:
        (out / name).mkdir(parents=True, exist_ok=True)
        for file in FILES:
            echo(shutil.copyfile(FOLDER / name / file, out / name / file))
