"""YAML nodes that keep their file and line, also where one file extends another."""

from pathlib import Path
from typing import TypeAlias, cast

import yaml

from streams.errors import ScenarioError

Steps: TypeAlias = tuple[str | int, ...]


def read(path: Path, text: str) -> yaml.MappingNode:
    """Parse one document; its nodes' marks name ``path``.

    Raises:
        ScenarioError: The text is not YAML or not a mapping, or a mapping has the same key twice.
    """
    loader = yaml.SafeLoader(text)
    loader.name = str(path)
    try:
        node = loader.get_single_node()
    except yaml.YAMLError as error:
        raise ScenarioError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(node, yaml.MappingNode):
        raise ScenarioError(f"{path}: expected a mapping of fields")
    _refuse_repeated_keys(node)
    return node


def place(node: yaml.Node) -> str:
    """Return ``file:line`` of a node."""
    return f"{node.start_mark.name}:{node.start_mark.line + 1}"


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


def built(node: yaml.Node) -> object:
    """Return the plain values of a node.

    Raises:
        ScenarioError: A value is impossible for its form (a 32nd of May) or has a tag of another program.
    """
    if isinstance(node, yaml.MappingNode):
        return {str(name.value): built(value) for name, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [built(value) for value in node.value]
    try:
        return yaml.SafeLoader("").construct_object(node)
    except yaml.MarkedYAMLError as error:
        raise ScenarioError(f"{place(node)}: {error.problem}") from None
    except (ValueError, TypeError) as error:
        raise ScenarioError(f"{place(node)}: {node.value}: {error}") from None


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


def _refuse_repeated_keys(node: yaml.Node) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, value in node.value:
            if not isinstance(name, yaml.ScalarNode):
                raise ScenarioError(f"{place(name)}: expected a plain field name")
            if name.value in seen:
                raise ScenarioError(f"{place(name)}: field {name.value!r} is given twice")
            seen.add(name.value)
            _refuse_repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_repeated_keys(value)
