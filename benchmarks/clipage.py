"""docs/cli.md, made from the commands: every command, its options, their defaults and environment variables.

python -m benchmarks.clipage                      # print the page
python -m benchmarks.clipage --write docs/cli.md  # after a change of a command or an option
"""

import argparse
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from joinstorm.cli import COMMANDS, cli, load
from joinstorm.variables import options_of, variable_of, walk

HEAD: Final = """# Command line

Made from the commands by `python -m benchmarks.clipage --write docs/cli.md`.

Results go to stdout, logs and progress to stderr; [architecture.md](architecture.md#processes) lists the exit codes.
Every option can be set by the environment variable in its row. A typed option wins over its variable, and a command's
own variable wins over the two that all commands share: `JOINSTORM_BOOTSTRAP_SERVERS` and `JOINSTORM_TOPIC_PREFIX`. A
repeatable option takes several values from its variable, separated by spaces; those of `--option` are quoted as for a
shell. A variable that begins with `JOINSTORM_` and that nothing reads is named on stderr.
"""


def page() -> str:
    """Return the whole page."""
    parts = [HEAD, "\n".join(_section((), cli))]
    for name in sorted(COMMANDS):
        parts += ["\n".join(_section(path, command)) for path, command in walk(load(name), (name,))]
    return "\n".join(parts)


def _section(path: tuple[str, ...], command: click.Command) -> Iterator[str]:
    """Yield the lines of one command."""
    context = click.Context(command, info_name=" ".join(("joinstorm", *path)), show_default=True)
    yield f"{'#' * (len(path) + 1 if path else 2)} joinstorm {' '.join(path)}".rstrip()
    yield ""
    yield f"    {' '.join([context.command_path, *command.collect_usage_pieces(context)])}"
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        yield ""
        yield " ".join(paragraph.split())
    if command.epilog:
        yield ""
        yield command.epilog
    yield ""
    if options := options_of(command):
        yield "| option | meaning | default | variable |"
        yield "| --- | --- | --- | --- |"
        yield from (_row(path, option, context) for option in options)
        yield ""


def _row(path: tuple[str, ...], option: click.Option, context: click.Context) -> str:
    """Return an option's row."""
    extra = option.get_help_extra(context)
    default = extra.get("default", "")
    default = default.strip("()") if isinstance(option.show_default, str) else _code(default)
    meaning = option.help or ""
    notes = [note for note in (_code(extra.get("range", "")), extra.get("required")) if note]
    meaning += f" ({', '.join(notes)})" * bool(notes)
    spellings = ", ".join(_code(spelling) for spelling in (*option.opts, *option.secondary_opts))
    if not option.is_flag and not option.count:
        spellings += f" {_code(option.make_metavar(context))}"
    return f"| {spellings} | {meaning} | {default} | `{variable_of(path, option)}` |"


def _code(text: str) -> str:
    """Return a text as code, fit for a cell of a table."""
    return f"`{text}`".replace("|", "\\|") if text else ""


def main() -> None:
    """Print or write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="write it there instead of printing it")
    options = parser.parse_args()
    if options.write:
        options.write.write_text(page(), encoding="utf-8")
    else:
        print(page(), end="")


if __name__ == "__main__":
    main()
