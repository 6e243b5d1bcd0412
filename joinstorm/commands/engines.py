"""``joinstorm engines``: what is known and installed, and the files for authors of engines."""

import os
import shutil
import textwrap
from pathlib import Path

import click

from joinstorm.commands import options
from joinstorm.output import echo
from streams.errors import EXIT_FAILED, EXIT_OK


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
    """Write the JSON Schemas.

    They are of every record, and below commands/ of what every command prints with --format json.
    """
    from joinstorm.documents import documentlist
    from streams.contract import schemas

    for path in (*schemas.write(out), *documentlist.write(out)):
        echo(path)


@command.command()
@options.out_folder("Folder to write the nights to.")
@click.option(
    "--check",
    "checked",
    type=options.FILE,
    default=None,
    help="File with the results and progress of an engine for one or more nights: one value of a record a line.",
)
def golden(out: Path | None, checked: Path | None) -> int:
    """Write or check the golden nights.

    Each is a set of input records and the results they must give; no Kafka is needed. Exit code 1 when an answer that
    is checked is not exact.
    """
    from streams.errors import UsageError
    from streams.golden import FILES, FOLDER, NIGHTS

    if (out is None) == (checked is None):
        raise UsageError("give --out DIR to write the nights, or --check FILE to check answers to them")
    if checked is not None:
        return _check(checked)
    assert out is not None
    for name in NIGHTS:
        (out / name).mkdir(parents=True, exist_ok=True)
        for file in FILES:
            echo(shutil.copyfile(FOLDER / name / file, out / name / file))
    return EXIT_OK


def _check(path: Path) -> int:
    from joinstorm.conformance.goldencheck import check

    found = check(path)
    for one in found:
        echo(f"{one.night}: {'exact' if not one.wrong else 'not exact'}, {one.compared} counts compared")
        for line in one.wrong:
            echo(f"  {line}")
    return EXIT_OK if not any(one.wrong for one in found) else EXIT_FAILED
