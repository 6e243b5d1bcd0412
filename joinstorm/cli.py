"""The command line: one click group whose commands are imported when they are called."""

import errno
import importlib
import io
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import click

from joinstorm.interrupts import InterruptedRun, interruptible
from joinstorm.output import VisibleFormatter, echo, print_any_text
from joinstorm.variables import name_of, name_variables, suspects, variables, warning
from streams.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, JoinstormError
from streams.suggest import unknown
from streams.system.heap import collect_seldom, keep_freed_memory

CHATTY: Final = ("kafka", "aiokafka")
"""Client libraries that log every refused connection as an error; joinstorm's own errors report the outcome."""
_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})
"""Errors of a disk that some libraries raise without naming the file."""
_PATH_ERRORS: Final = (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError)
_log = logging.getLogger(__name__)


class CommandEntry(NamedTuple):
    """One line of ``joinstorm --help``."""

    module: str
    """The module whose ``command`` it is."""
    short_help: str


COMMANDS: Final = {
    name: CommandEntry(f"joinstorm.commands.{module}", short_help)
    for name, module, short_help in (
        ("alerts", "alerts", "Score alert rules against the truth."),
        ("backfill", "backfill", "Write a night as Prometheus history."),
        ("bench", "bench", "Measure engines or producers side by side."),
        ("broker", "broker", "Run the embedded Kafka until Ctrl-C."),
        ("capture", "capture", "Capture the records of any topics."),
        ("chaos", "chaos", "Inject faults and check every count."),
        ("compare", "compare", "Compare engines on one night."),
        ("conform", "conform", "Certify an engine against the contract."),
        ("explain", "explain", "Find the fewest events that show a bug."),
        ("control", "control", "Control a replay on this machine."),
        ("dashboards", "dashboards", "Build, check and publish the boards."),
        ("dead-letters", "dead_letters", "List the records that are not events."),
        ("drill", "drill", "Find out what is going on in a night."),
        ("engines", "engines", "List, install and remove engines."),
        ("events", "events", "Export a tape's events to a file."),
        ("export", "export", "Serve a run's metrics to Prometheus."),
        ("facts", "facts", "Compare a tape with the known facts."),
        ("follow", "follow", "Repeat a command for every new run."),
        ("import", "import_", "Turn your own recording into a tape."),
        ("record", "record", "Simulate a night and write its tape."),
        ("pages", "pages", "Receive pages and keep them."),
        ("rehearse", "rehearse", "Rehearse a night with your alerts."),
        ("replay", "replay", "Replay a tape or a capture into Kafka."),
        ("run", "run", "Replay a night and verify every count."),
        ("scenarios", "scenarios", "List, show and check scenarios."),
        ("stream", "stream", "Run one worker of an engine."),
        ("truth", "truth", "Publish the true counts of a tape."),
        ("verify", "verify", "Compare an engine's counts with the truth."),
        ("whatif", "whatif", "Compare several scenarios side by side."),
    )
}
"""Every command; ``joinstorm --help`` is made from this table, so that it imports none of them."""


class LazyGroup(click.Group):
    """A group whose commands live in modules that are imported only when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the command names in order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command whose options read their environment variables.

        Raises:
            click.UsageError: There is no such command; the text suggests one.
        """
        if cmd_name not in COMMANDS:
            raise click.UsageError(unknown("command", cmd_name, sorted(COMMANDS)), ctx)
        return load(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the commands with their short help, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.short_help) for name, entry in sorted(COMMANDS.items())])


def load(name: str) -> click.Command:
    """Return a command of the table, its options bound to their environment variables."""
    command: click.Command = importlib.import_module(COMMANDS[name].module).command
    name_variables(command, (name,))
    return command


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(package_name="joinstorm")
@click.option("-v", "--verbose", count=True, show_default=False, help="Log more; -vv logs everything.")
def cli(verbose: int) -> None:
    """Replay a live-audio launch that melted its servers, and verify stream processors against the truth.

    Results go to stdout, logs and progress to stderr. Every option can be set by the environment variable
    JOINSTORM_<COMMAND>_<OPTION>.
    """
    levels = (logging.WARNING, logging.INFO, logging.DEBUG)
    logging.basicConfig(level=levels[min(verbose, 2)], handlers=[_log_handler()])
    if verbose < len(levels) - 1:
        for library in CHATTY:
            logging.getLogger(library).setLevel(logging.CRITICAL)


def _log_handler() -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(VisibleFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    return handler


name_variables(cli, ())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code (see ``streams.errors``)."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is imported; its threads spin beside our work
    keep_freed_memory()
    collect_seldom()
    print_any_text()
    for warned in unread(os.environ):
        echo(f"joinstorm: {warned}", err=True)
    try:
        with interruptible():
            result = cli.main(args=None if argv is None else list(argv), standalone_mode=False)
    except (click.Abort, KeyboardInterrupt, InterruptedRun):
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        echo(shown.getvalue(), err=True, nl=False)
        return error.exit_code
    except JoinstormError as error:
        echo(f"joinstorm: {error}", err=True)
        return error.exit_code
    except BrokenPipeError:  # `joinstorm … | head`
        _discard_output()
        return EXIT_FAILED
    except OSError as error:
        if (line := described(error)) is None:
            raise
        _log.debug("where it was raised", exc_info=True)
        _discard_output()
        echo(f"joinstorm: {line}", err=True)
        return EXIT_USAGE
    return result if isinstance(result, int) else 0


def unread(environ: Mapping[str, str]) -> list[str]:
    """Return a line for each JOINSTORM_ variable of an environment that nothing reads.

    Only the commands that such a variable may belong to are imported, and all of them only to suggest the right name.
    """
    names = suspects(environ)
    known = variables(cli, ())
    for command in COMMANDS:
        if any(name.startswith(f"{name_of(command)}_") for name in names):
            known |= variables(load(command), (command,))
    if unknown := [name for name in names if name not in known]:
        known = known.union(*(variables(load(command), (command,)) for command in COMMANDS))
    return [warning(name, known) for name in unknown]


def described(error: OSError) -> str | None:
    """Return one line for an error of a file or disk; None for any other, which is a fault of joinstorm."""
    if error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if error.errno in _DISK:
        return f"cannot write: {os.strerror(error.errno)}"
    return str(error) if isinstance(error, _PATH_ERRORS) else None


def _discard_output() -> None:
    """Drop what stdout cannot accept any more, which Python would try to write once more at its exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
