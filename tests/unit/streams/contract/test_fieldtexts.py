"""What the fields of a type mean, read from its source."""

from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from streams.contract.fieldtexts import classes_of, field_texts
from streams.contract.schemas import schema_of


class Inner(msgspec.Struct):
    """A part."""

    size: int | None = None
    """None where it was
    not measured."""
    bare: int = 0


class Outer(Inner, kw_only=True):
    """The whole."""

    parts: tuple[Inner, ...]
    """Each by itself."""


@dataclass
class Told:
    """A class that tells in its docstring.

    Args:
        first: The first
            of them.
        second: The second.

    Raises:
        Nothing: Never.
    """

    first: int
    second: "Pair | None"


class Pair(NamedTuple):
    """Two."""

    left: int
    """The left one."""
    right: int


def test_texts_below_fields_and_in_arguments_are_found() -> None:
    """On one line each; about JSON, so None is null; a field without a text has none."""
    assert field_texts(Inner) == {"size": "null where it was not measured."}
    assert field_texts(Told) == {"first": "The first of them.", "second": "The second."}


def test_a_class_has_the_texts_of_its_bases() -> None:
    """Its own and those it inherits."""
    assert field_texts(Outer) == {"size": "null where it was not measured.", "parts": "Each by itself."}


def test_a_class_without_source_has_no_texts() -> None:
    """A type that was made at run time is described by its shape alone."""
    assert field_texts(msgspec.defstruct("Made", [("x", int)])) == {}


def test_every_class_in_a_type_is_found() -> None:
    """Whatever holds it: lists, tables, unions."""
    assert set(classes_of(dict[str, list[Outer] | None])) == {Outer, Inner}
    assert set(classes_of(Told)) == {Told, Pair}


def test_a_schema_has_the_texts() -> None:
    """Of the type itself and of those in it; several types are any of them."""
    one = schema_of(Outer)
    assert one["properties"]["parts"]["description"] == "Each by itself."
    assert one["$defs"]["Inner"]["properties"]["size"]["description"] == "null where it was not measured."
    assert [each["$ref"] for each in schema_of(Inner, Told)["anyOf"]] == ["#/$defs/Inner", "#/$defs/Told"]
