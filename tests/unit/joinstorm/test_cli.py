"""The command line as a user meets it."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from joinstorm import cli as commandline
from joinstorm.cli import COMMANDS, cli, described, load, main
from joinstorm.variables import walk
from streams.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE

HEAVY = ("numpy", "polars", "pyarrow", "duckdb", "matplotlib", "faust", "mode", "aiokafka", "kafka", "rich", "asyncio")
SHORT = 45
EVERY = [(" ".join(path), command) for name in COMMANDS for path, command in walk(load(name), (name,))]


def joinstorm(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "joinstorm.cli", *arguments]
    around = {**os.environ, **environ}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=around)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_list_of_commands_has_their_own_short_help(name: str) -> None:
    """The table that ``joinstorm --help`` is made from repeats what each command's own help begins with."""
    assert load(name).get_short_help_str(SHORT) == COMMANDS[name].short_help


def test_help_lists_every_command() -> None:
    """Each with its short help, uncut on a narrow terminal."""
    output = CliRunner().invoke(cli, ["--help"], catch_exceptions=False).output
    for name, entry in COMMANDS.items():
        assert f"  {name} " in output
        assert entry.short_help in output


@pytest.mark.parametrize(("path", "command"), EVERY)
def test_every_command_begins_with_a_short_sentence(path: str, command: click.Command) -> None:
    """--help works for commands and subcommands; the first sentence is whole, short, and ends with a full stop."""
    result = CliRunner().invoke(cli, [*path.split(), "--help"])
    assert result.exit_code == EXIT_OK, result.output
    short = command.get_short_help_str(SHORT)
    assert short.endswith(".")
    assert not short.endswith("...")
    assert len(short) < SHORT


@pytest.mark.parametrize(("path", "command"), EVERY)
def test_every_option_has_help(path: str, command: click.Command) -> None:
    """The help of an option is a line that begins in upper case; it ends with a full stop or a default in brackets."""
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{path} {option.name}"
            assert option.help[0].isupper(), f"{path} {option.name}"
            assert option.help.endswith((".", "]")), f"{path} {option.name}"


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["replay", "--help"], ["--version"]])
def test_help_loads_no_heavy_library(arguments: list[str]) -> None:
    """What only a running command needs is not imported, so that help and completion are quick."""
    code = (
        f"import sys; from joinstorm.cli import main; main({arguments!r})\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout
    assert done.stderr == "[]\n"


def test_no_command_module_loads_a_heavy_library() -> None:
    """Importing every command is as light as its options; ``import`` reads its fields from the room of the importer."""
    names = sorted(COMMANDS.keys() - {"import"})
    code = (
        f"import sys; from joinstorm.cli import load; [load(name) for name in {names!r}]\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def test_a_mistyped_command_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown command names the closest known one and ends with the code of a usage error."""
    assert main(["rnu"]) == EXIT_USAGE
    assert "unknown command 'rnu'; did you mean 'run'?" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["run", "conform", "compare", "backfill"])
def test_whole_jobs_bring_their_own_broker(name: str) -> None:
    """Without --bootstrap-servers they start one, rather than expect one at the usual address."""
    assert [one.default for one in load(name).params if one.name == "connection"] == [None]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "a.csv"), "a.csv: No such file or directory"),
        (OSError(errno.ENOSPC, "Error writing bytes to file"), "cannot write: No space left on device"),
        (FileNotFoundError("no file a.csv"), "no file a.csv"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), None),
    ],
)
def test_an_error_of_a_file_is_one_line(error: OSError, line: str | None) -> None:
    """Errors that name a file or that only a disk gives are the user's to solve; any other is a fault of ours."""
    assert described(error) == line


def test_a_path_that_cannot_be_used_ends_in_one_line(tmp_path: Path) -> None:
    """A folder where a file is expected, and a folder that cannot be made: named, without a traceback."""
    (tmp_path / "file").touch()
    for arguments in (["engines", "schemas", "--out", str(tmp_path / "file" / "below")],):
        done = joinstorm(*arguments)
        assert done.returncode == EXIT_USAGE
        assert done.stderr.startswith("joinstorm: ")
        assert str(tmp_path) in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_behind_stdout_ends_in_one_line() -> None:
    """Neither a traceback nor Python's own complaint at exit."""
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "joinstorm.cli", "scenarios", "list"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (EXIT_USAGE, "joinstorm: cannot write: No space left on device\n")


def test_a_reader_that_has_gone_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`joinstorm scenarios list | head -1` ends in silence."""

    def gone(*_: object, **__: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(commandline.cli, "main", gone)
    assert main([]) == EXIT_FAILED
    assert capsys.readouterr().err == ""
