"""README, CHANGELOG and docs: links resolve, files exist, commands and options are real, prose keeps the style."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import pytest

from joinstorm.cli import cli

ROOT: Final = Path(__file__).parents[3]
PAGES: Final = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*/*.md"))
)
GENERATED: Final = {"docs/boards.md", "docs/cli.md", "docs/metrics.md"}
"""Made from code; their words and lines are those of the code."""
WRITTEN: Final = [page for page in PAGES if page not in GENERATED]
PACKAGES: Final = "| package | holds | may import |"
"""The head of a generated table on a written page."""
WIDTH: Final = 120
BANNED: Final = re.compile(r"\b(somebody|whoever|anew|is told)\b", re.IGNORECASE)
FOLDERS: Final = "streams|producers|dashboards|joinstorm|tests|benchmarks|docs|docker|examples"
PATH: Final = re.compile(rf"(?<![\w./-])(?:{FOLDERS})/[\w./-]*")
MODULE: Final = re.compile(rf"(?<![\w./-])(?:{FOLDERS})(?:\.[a-z_]\w*)+")
LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
COMMAND: Final = re.compile(r"(?<![\w./-])(?:\.venv/bin/)?joinstorm +((?:[a-z]|-).*)")


def read(page: str) -> str:
    """Return the text of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def split(text: str) -> tuple[list[str], list[str]]:
    """Return the lines of prose, tables included, and the lines of code blocks; continued lines of code are joined."""
    prose: list[str] = []
    code: list[str] = []
    fenced, previous = False, ""
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or (line.startswith("    ") and (not previous.strip() or previous.startswith("    "))):
            code.append(line)
        else:
            prose.append(line)
        previous = line
    return prose, code


def spans(text: str) -> list[str]:
    """Return the code spans of the prose, line breaks folded."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", "\n".join(split(text)[0]))]


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = (line.lstrip("#").strip() for line in split(text)[0] if line.startswith("#"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: str, text: str) -> list[str]:
    """Return the relative links of a page whose file or heading does not exist."""
    found = []
    for link in LINK.findall("\n".join(split(text)[0])):
        name, _, anchor = link.partition("#")
        target = (ROOT / page).parent / name if name else ROOT / page
        if link.startswith(("http://", "https://")):
            continue
        if not target.exists() or (
            anchor and anchor not in anchors(text if not name else target.read_text(encoding="utf-8"))
        ):
            found.append(link)
    return found


def missing_paths(text: str) -> list[str]:
    """Return the paths and dotted modules a page mentions that do not exist."""
    paths = [found for found in PATH.findall(text) if not (ROOT / found.rstrip(".")).exists()]
    modules = [found for found in MODULE.findall(" ".join(spans(text))) if not _module_exists(found)]
    return paths + modules


def _module_exists(name: str) -> bool:
    """Say whether a dotted name is a module or package, or a name in one."""
    parts = name.split(".")
    last = 1 if parts[-1][0].isupper() else 0
    path = ROOT.joinpath(*parts[: len(parts) - last])
    return path.is_dir() or path.with_suffix(".py").is_file()


def command_lines(text: str) -> Iterator[list[str]]:
    """Yield the words after ``joinstorm`` of every command in a code span or block, up to a pipe, ``&`` or comment."""
    for line in (*split(text)[1], *spans(text)):
        if match := COMMAND.search(line):
            words = shlex.split(match[1], comments=True)
            stop = next((at for at, word in enumerate(words) if word in {"&", "|", ";", ">"}), len(words))
            yield words[:stop]


def mistakes(words: list[str]) -> list[str]:
    """Return the first command or option of a command line that does not exist; empty if all do."""
    command: click.Command = cli
    known, shown, value = options(cli), "joinstorm", False
    for word in words:
        name, equals, _ = word.partition("=")
        if value:
            value = False
        elif name.startswith("-"):
            if name not in known:
                return [f"{shown} has no option {name}"]
            value = known[name] and not equals
        elif isinstance(command, click.Group) and re.fullmatch(r"[a-z][a-z-]*", word):
            inner = _command(command, word)
            if inner is None:
                return [f"{shown} has no command {word}"]
            known, shown = options(inner), f"{shown} {word}"
            if word != "follow":  # its argument is a command of the same group
                command = inner
    return []


def _command(group: click.Group, name: str) -> click.Command | None:
    try:
        return group.get_command(click.Context(group), name)
    except click.UsageError:
        return None


def options(command: click.Command) -> dict[str, bool]:
    """Return the options of a command by name, each with whether a value follows it."""
    found = {"-h": False, "--help": False}
    for param in command.params:
        if isinstance(param, click.Option):
            value = not (param.is_flag or param.count)
            found |= dict.fromkeys((*param.opts, *param.secondary_opts), value)
    return found


def bare_options() -> set[str]:
    """Return every option of every command, and those of the benchmarks."""
    found: set[str] = set()
    waiting: list[click.Command] = [cli]
    while waiting:
        command = waiting.pop()
        found |= set(options(command))
        if isinstance(command, click.Group):
            context = click.Context(command)
            inner = (command.get_command(context, name) for name in command.list_commands(context))
            waiting.extend(one for one in inner if one is not None)
    text = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("benchmarks/*.py"))
    return found | set(re.findall(r'"(--[a-z-]+)"', text))


def wide_lines(text: str) -> list[str]:
    """Return the lines of prose that are too wide; tables, pictures, formulas and comments may be wider."""
    return [
        line
        for line in split(text)[0]
        if len(line) > WIDTH and not line.startswith(("|", "![", "<!--", "$$", r"\frac"))
    ]


def banned_words(text: str) -> list[str]:
    """Return the banned words in the prose and tables of a page, without tables that are made from code."""
    before, head, rest = text.partition(PACKAGES)
    if head:
        text = before + rest[rest.index("\n\n") :]
    return BANNED.findall(" ".join(" ".join(split(text)[0]).split()))


@pytest.mark.parametrize("page", PAGES)
def test_links_resolve(page: str) -> None:
    """Every relative link leads to a file that exists, and to a heading of it where it names one."""
    assert broken_links(page, read(page)) == []


@pytest.mark.parametrize("page", PAGES)
def test_paths_and_modules_exist(page: str) -> None:
    """Every path and module of the tree that a page mentions exists."""
    assert missing_paths(read(page)) == []


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_options_are_real(page: str) -> None:
    """Every joinstorm command in code names a command that exists, with options that it has."""
    assert [found for words in command_lines(read(page)) for found in mistakes(words)] == []


@pytest.mark.parametrize("page", WRITTEN)
def test_bare_options_are_real(page: str) -> None:
    """Every option in a code span of its own belongs to some command or benchmark."""
    known = bare_options()
    bare = [match[0] for span in spans(read(page)) if (match := re.match(r"--[a-z][a-z-]*", span))]
    assert [option for option in bare if option not in known] == []


@pytest.mark.parametrize("page", WRITTEN)
def test_prose_keeps_one_width(page: str) -> None:
    """Prose is wrapped at 120 columns."""
    assert wide_lines(read(page)) == []


@pytest.mark.parametrize("page", WRITTEN)
def test_banned_words_do_not_occur(page: str) -> None:
    """A few words that always mark a clumsy sentence do not occur."""
    assert banned_words(read(page)) == []


def test_the_checks_see_mistakes() -> None:
    """Each check above finds a planted mistake, and lets the same line without it pass."""
    page = "docs/replay.md"
    assert broken_links(page, "# A b\n[a](#a-c) [b](none.md) [c](glossary.md#none)") == [
        "#a-c",
        "none.md",
        "glossary.md#none",
    ]
    assert broken_links(page, "# A b\n[a](#a-b) [b](../README.md) [c](glossary.md#counting) [d](https://a.b)") == []
    assert missing_paths("`streams/none.py` and `streams.none` in streams/fold/") == ["streams/none.py", "streams.none"]
    assert missing_paths("`streams/errors.py`, `streams.engines.abstract.Engine`, `python -m benchmarks.pace`") == []
    lines = "text\n\n    joinstorm nothing\n    joinstorm run --none 1 | joinstorm\n\n`joinstorm follow verify --none`"
    assert [mistakes(words) for words in command_lines(lines)] == [
        ["joinstorm has no command nothing"],
        ["joinstorm run has no option --none"],
        ["joinstorm follow verify has no option --none"],
    ]
    right = "`joinstorm follow --once verify --deadline 5` and `joinstorm scenarios show launch --resolved # all`"
    assert [mistakes(words) for words in command_lines(right)] == [[], []]
    assert wide_lines(f"{'a ' * 61}\n| {'a ' * 61} |") == ["a " * 61]
    assert banned_words(f"Whoever reads\n\n{PACKAGES}\n| anew |\n\nit is\ntold") == ["Whoever", "is told"]
