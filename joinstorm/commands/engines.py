"""``joinstorm engines``: what is known, installed, missing; and what somebody needs who writes one."""

import os
import shutil
import textwrap
from pathlib import Path

import click

from joinstorm.engines import installation as enginehome
from joinstorm.engines.catalog import entry, state
from streams.contract import schemas
from streams.engines import registry
from streams.golden import FILES, FOLDER, NIGHTS


@click.group(invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the engines: what they are, whether they are installed, and what they cannot do by their nature."""
    if context.invoked_subcommand is None:
        for name in registry.names():
            click.echo(_described(name))


def _described(name: str) -> str:
    known = entry(name)
    lines = [f"{name:<14}{known.what}", f"{'':14}{state(name)}"]
    if known.limits:
        lines += textwrap.wrap(known.limits, 106, initial_indent=" " * 14, subsequent_indent=" " * 14)
    return "\n".join(lines)


@command.command()
@click.argument("names", nargs=-1, required=True)
def install(names: tuple[str, ...]) -> None:
    """Make the environments of engines whose libraries do not live beside joinstorm's."""
    for name in names:
        click.echo(f"installing {name} …", err=True)
        click.echo(f"{name}: {enginehome.install(name, os.environ)}")


@command.command()
@click.argument("names", nargs=-1, required=True)
def remove(names: tuple[str, ...]) -> None:
    """Remove the environments of engines."""
    for name in names:
        enginehome.remove(name, os.environ)


_OUT = click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder, made if missing."
)


@command.command(name="schemas")
@_OUT
def write_schemas(out: Path) -> None:
    """Write the JSON Schemas of every record."""
    for path in schemas.write(out):
        click.echo(path)


@command.command()
@_OUT
def golden(out: Path) -> None:
    """Write the golden nights: input records, and the results they must give."""
    for name in NIGHTS:
        (out / name).mkdir(parents=True, exist_ok=True)
        for file in FILES:
            click.echo(shutil.copyfile(FOLDER / name / file, out / name / file))
