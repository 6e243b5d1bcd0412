"""The command line: one click group whose commands are loaded when they are called."""

import importlib
import logging
import sys
from collections.abc import Sequence
from typing import ClassVar

import click

from joinstorm.interrupts import InterruptedRun, interruptible
from streams.errors import EXIT_INTERRUPTED, JoinstormError
from streams.suggest import unknown
from streams.system.heap import keep_freed_memory

CHATTY = ("kafka", "aiokafka")
"""Client libraries that log every refused connection as an error; what it came to is told by our own errors."""


class LazyGroup(click.Group):
    """A group whose commands live in modules that are imported only when needed, so that ``--help`` is quick."""

    commands_by_name: ClassVar[dict[str, str]] = {
        "backfill": "joinstorm.commands.backfill",
        "bench": "joinstorm.commands.bench",
        "broker": "joinstorm.commands.broker",
        "chaos": "joinstorm.commands.chaos",
        "compare": "joinstorm.commands.compare",
        "conform": "joinstorm.commands.conform",
        "control": "joinstorm.commands.control",
        "dashboards": "joinstorm.commands.dashboards",
        "dead-letters": "joinstorm.commands.dead_letters",
        "engines": "joinstorm.commands.engines",
        "events": "joinstorm.commands.events",
        "export": "joinstorm.commands.export",
        "facts": "joinstorm.commands.facts",
        "follow": "joinstorm.commands.follow",
        "import": "joinstorm.commands.import_",
        "record": "joinstorm.commands.record",
        "replay": "joinstorm.commands.replay",
        "run": "joinstorm.commands.run",
        "scenarios": "joinstorm.commands.scenarios",
        "stream": "joinstorm.commands.stream",
        "truth": "joinstorm.commands.truth",
        "verify": "joinstorm.commands.verify",
        "whatif": "joinstorm.commands.whatif",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the command names in order."""
        return sorted(self.commands_by_name)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command's ``command`` object; a mistyped name gets a suggestion."""
        module = self.commands_by_name.get(cmd_name)
        if module is None:
            raise click.UsageError(unknown("command", cmd_name, sorted(self.commands_by_name)), ctx)
        command: click.Command = importlib.import_module(module).command
        return command


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "JOINSTORM", "show_default": True},
)
@click.version_option(package_name="joinstorm")
@click.option("-v", "--verbose", count=True, help="Log more (twice: everything).")
def cli(verbose: int) -> None:
    """Replay a live-audio launch that melted its servers, and hold a stream processor to the truth.

    Results go to stdout, logs and progress to stderr. Every option can be given by the environment as
    JOINSTORM_<COMMAND>_<OPTION>.
    """
    levels = (logging.WARNING, logging.INFO, logging.DEBUG)
    logging.basicConfig(
        level=levels[min(verbose, 2)], stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    if verbose < len(levels) - 1:
        for library in CHATTY:
            logging.getLogger(library).setLevel(logging.CRITICAL)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code (see ``streams.errors``)."""
    keep_freed_memory()
    try:
        with interruptible():
            result = cli.main(args=None if argv is None else list(argv), standalone_mode=False)
    except (click.Abort, KeyboardInterrupt, InterruptedRun):
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except JoinstormError as error:
        click.echo(f"joinstorm: {error}", err=True)
        return error.exit_code
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(main())
