"""YAML nodes that keep their file and line, also where one file extends another."""

import re
from pathlib import Path
from typing import Final, TypeAlias, cast

import yaml

from producers import safeyaml
from streams.errors import ScenarioError

Steps: TypeAlias = tuple[str | int, ...]
_TEXT: Final = "tag:yaml.org,2002:str"
_LONGEST_VALUE: Final = 100
_QUOTED: Final = re.compile(r"(['\"]).*\1")


def read(path: Path, text: str, own: Path) -> yaml.MappingNode:
    """Parse one document; its nodes' marks name ``path``.

    Args:
        path: The file.
        text: Its content.
        own: The file the user named. An error quotes no other file, which the user may never have meant to show.

    Raises:
        ScenarioError: The text is not YAML or not a mapping, or a mapping has the same key twice.
    """
    try:
        node = safeyaml.compose(path, text)
    except safeyaml.YamlError as error:
        raise ScenarioError(str(error)) from None
    if not isinstance(node, yaml.MappingNode):
        raise ScenarioError(f"{path}: expected a mapping of fields")
    _refuse_repeated_keys(node, own)
    return node


def place(node: yaml.Node) -> str:
    """Return ``file:line`` of a node."""
    return f"{node.start_mark.name}:{node.start_mark.line + 1}"


def quoted(node: yaml.Node, own: Path, text: str) -> str:
    """Return a text that may quote a node's file; without what it quotes unless that is the file the user named."""
    if node.start_mark.name == str(own):
        return text
    return _QUOTED.sub("…", text)


def take(mapping: yaml.MappingNode, key: str) -> yaml.Node | None:
    """Remove a key from a mapping and return its value, None if the mapping lacks it."""
    for index, (name, value) in enumerate(mapping.value):
        if name.value == key:
            del mapping.value[index]
            return cast("yaml.Node", value)
    return None


def merged(base: yaml.MappingNode, change: yaml.MappingNode) -> yaml.MappingNode:
    """Return ``base`` overridden by ``change``: mappings key by key, any other value as a whole."""
    pairs = {name.value: (name, value) for name, value in base.value}
    for name, value in change.value:
        known = pairs.get(name.value)
        if known is not None and isinstance(known[1], yaml.MappingNode) and isinstance(value, yaml.MappingNode):
            value = merged(known[1], value)  # noqa: PLW2901 - the one value, now complete
        pairs[name.value] = (name, value)
    return yaml.MappingNode(change.tag, list(pairs.values()), change.start_mark, change.end_mark)


def built(node: yaml.Node, own: Path) -> object:
    """Return the plain values of a node.

    Args:
        node: The node.
        own: The file the user named; see ``read``.

    Raises:
        ScenarioError: A value is impossible for its form (a 32nd of May) or has a tag of another program.
    """
    if isinstance(node, yaml.MappingNode):
        return {str(name.value): built(value, own) for name, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [built(value, own) for value in node.value]
    if node.tag != _TEXT and len(node.value) > _LONGEST_VALUE:
        raise ScenarioError(f"{place(node)}: expected a number or a time of at most {_LONGEST_VALUE} characters")
    try:
        return yaml.SafeLoader("").construct_object(node)
    except yaml.MarkedYAMLError as error:
        raise ScenarioError(f"{place(node)}: {quoted(node, own, str(error.problem))}") from None
    except (ValueError, TypeError, OverflowError, LookupError) as error:
        value = f"{node.value}: " if node.start_mark.name == str(own) else ""
        raise ScenarioError(f"{place(node)}: {value}{quoted(node, own, str(error))}") from None


def find(node: yaml.Node, path: Steps) -> yaml.Node:
    """Return the node to blame for a path of keys and indices: the key's own, or the innermost that exists."""
    label = node
    for step in path:
        child = _child(node, step)
        if child is None:
            return label
        label, node = child
    return label


def value(node: yaml.Node, path: Steps) -> str | None:
    """Return the scalar at a path as written, None if there is none."""
    for step in path:
        child = _child(node, step)
        if child is None:
            return None
        node = child[1]
    return str(node.value) if isinstance(node, yaml.ScalarNode) else None


def _child(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """Return the label (key or element) and the value of one step, None if there is no such step."""
    if isinstance(node, yaml.MappingNode):
        return next(((name, value) for name, value in node.value if name.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _refuse_repeated_keys(node: yaml.Node, own: Path) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, value in node.value:
            if not isinstance(name, yaml.ScalarNode):
                raise ScenarioError(f"{place(name)}: expected a plain field name")
            if name.value in seen:
                raise ScenarioError(f"{place(name)}: field {quoted(name, own, repr(name.value))} is given twice")
            seen.add(name.value)
            _refuse_repeated_keys(value, own)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_repeated_keys(value, own)
