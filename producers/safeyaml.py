"""YAML of users as nodes, within limits: a file can cost neither much time nor much memory, however it is written."""

import re
import stat
from pathlib import Path
from typing import Any, Final

import yaml

from streams.errors import UsageError, reason
from streams.visible import visible_line

MAX_BYTES: Final = 256 << 10
_MAX_DEPTH: Final = 30
_MAX_NODES: Final = 10_000
"""Counted as written out: an alias counts as much as what it stands for."""
_LONGEST_NAME: Final = 200
_TOO_LARGE: Final = f"expected at most {MAX_BYTES >> 10} KiB"
_QUOTED: Final = re.compile(r"'(?:.|<[^']*>)'|('[^']*')")
"""What a parser's problem quotes; as a group unless it is a single character or a kind of token."""


class YamlError(UsageError):
    """A text is not YAML, or beyond the limits; the text names file and line and quotes none of the file."""


def read_text(path: Path, *, regular: bool = False) -> str:
    """Read a text file in UTF-8, no more of it than may be parsed.

    Args:
        path: The file.
        regular: Whether it must be a regular file; else a pipe will do.

    Raises:
        YamlError: It is missing, too large, not UTF-8, or cannot be read.
    """
    try:
        if regular and path.exists() and not stat.S_ISREG(path.stat().st_mode):
            raise YamlError(f"{path}: expected a regular file")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise YamlError(f"{path}: there is no such file") from None
    except OSError as error:
        raise YamlError(f"{path}: cannot be read: {reason(error)}") from None
    except ValueError:
        raise YamlError(f"{str(path)!r}: not the name of a file") from None
    if len(content) > MAX_BYTES:
        raise YamlError(f"{path}: {_TOO_LARGE}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlError(f"{path}: not UTF-8: byte {error.start + 1} is {content[error.start]:#04x}") from None


def compose(path: Path, text: str) -> yaml.Node | None:
    """Parse the one document of a text; the marks of its nodes name ``path``. An empty text has no node.

    Raises:
        YamlError: It is not YAML, has several documents, or is too large, nested too deep, or one of its aliases
            contains itself or makes it too large.
    """
    if len(text) > MAX_BYTES:
        raise YamlError(f"{path}: {_TOO_LARGE}")
    try:
        return _LimitedLoader(path, text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f" (line {mark.line + 1})" if mark is not None else ""
        raise YamlError(f"{path}: not YAML: {_without_quotes(error)}{line}") from None
    except (yaml.YAMLError, ValueError, OverflowError):  # as itself, or as an escape beyond Unicode
        raise YamlError(f"{path}: not YAML: a character is not allowed") from None


class _LimitedLoader(yaml.SafeLoader):
    def __init__(self, file: Path, text: str) -> None:
        super().__init__(text)
        self.name = str(file)
        self._depth = 0
        self._nodes = 0
        self._sizes: dict[str, int] = {}
        """Nodes of each anchor that is complete, written out."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose a node, counting what it comes to when its aliases are written out."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) and event.anchor:
            if event.anchor in self.anchors and event.anchor not in self._sizes:
                raise YamlError(f"{self.name}:{line}: an alias stands inside what it stands for")
            self._count(self._sizes.get(event.anchor, 0), line)
            return super().compose_node(parent, index)
        if self._depth == _MAX_DEPTH:
            raise YamlError(f"{self.name}:{line}: nested more than {_MAX_DEPTH} levels deep")
        before = self._nodes
        self._count(1, line)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        if event.anchor is not None:
            self._sizes[event.anchor] = self._nodes - before
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Compose a mapping, whose keys are names and not whole texts."""
        node = super().compose_mapping_node(anchor)
        for name, _ in node.value:
            if isinstance(name, yaml.ScalarNode) and len(name.value) > _LONGEST_NAME:
                line = name.start_mark.line + 1
                raise YamlError(f"{self.name}:{line}: expected field names of at most {_LONGEST_NAME} characters")
        return node

    def _count(self, nodes: int, line: int) -> None:
        self._nodes += nodes
        if self._nodes > _MAX_NODES:
            raise YamlError(f"{self.name}:{line}: expected at most {_MAX_NODES:,} values, aliases written out")


def _without_quotes(error: yaml.MarkedYAMLError) -> str:
    """Return a parser's problem without what it quotes of the file, a single character or a kind of token aside."""
    problem = error.problem or "malformed"
    if problem.startswith("but ") and error.context:
        problem = f"{error.context}, {problem}"
    return visible_line(_QUOTED.sub(lambda quote: "…" if quote[1] else quote[0], problem))
