"""What the fields of a type mean, from the docstrings in its source: below a field, or in ``Args:`` of the class."""

import ast
import contextlib
import inspect
import itertools
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import msgspec

_ARGUMENT = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def classes_of(kind: Any) -> list[type]:
    """Return the classes with fields that a type is made of, itself included."""
    found: dict[type, None] = {}

    def walk(node: object) -> None:
        if isinstance(node, (tuple, list)):
            for one in node:
                walk(one)
        if not isinstance(node, (msgspec.inspect.Type, msgspec.inspect.Field)):
            return
        own = getattr(node, "cls", None)
        if isinstance(own, type) and hasattr(node, "fields"):
            if own in found:
                return
            found[own] = None
        for name in type(node).__struct_fields__:
            walk(getattr(node, name))

    walk(msgspec.inspect.type_info(kind))
    return list(found)


def field_texts(kind: type) -> dict[str, str]:
    """Return what the fields of a class mean, as far as its source says; those of its bases included.

    The texts are about JSON, so None is called null.
    """
    texts: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        with contextlib.suppress(OSError, TypeError):  # a class without source
            texts |= dict(_in_source(one))
    return {name: re.sub(r"\bNone\b", "null", text) for name, text in texts.items()}


def _in_source(kind: type) -> Iterator[tuple[str, str]]:
    documentation = inspect.cleandoc(kind.__dict__.get("__doc__") or "")
    _, _, arguments = documentation.partition("Args:\n")
    for name, text in _ARGUMENT.findall(re.split(r"\n+(?=\S)", arguments)[0]):  # up to the next section
        yield name, " ".join(text.split())
    (found,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    for field, below in itertools.pairwise(found.body if isinstance(found, ast.ClassDef) else []):
        match field, below:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(value=ast.Constant(str(text))):
                yield name, " ".join(text.split())
