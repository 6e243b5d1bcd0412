"""Every JSON document of the program has a schema, and what is printed is of that shape."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator

from joinstorm.cli import cli
from joinstorm.documents import documentlist
from joinstorm.documents.documentlist import DOCUMENTS, Document
from tests.unit.joinstorm.documents.samples import SAMPLES

DOCS = Path(__file__).parents[4] / "docs"


def commands_with_json(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the command lines that have ``--format json``; the subcommands of one that has it print the same."""
    for option in command.params:
        if "--format" in option.opts and isinstance(option.type, click.Choice) and "json" in option.type.choices:
            yield " ".join(path)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands_with_json(found, (*path, name))


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """Return what commands print; each is run once."""
    return cache(lambda command: list(SAMPLES[command](tmp_path_factory.mktemp("sample"))))


def closed(schema: Any) -> Any:
    """Return a schema that refuses properties it does not name."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(value) for name, value in schema.items()}
    if isinstance(found.get("properties"), dict) and found.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found


def test_every_command_with_json_has_a_schema() -> None:
    """A new ``--format json`` needs a line in ``joinstorm.documents.documentlist`` and a sample."""
    described = {one.command for one in DOCUMENTS}
    assert set(commands_with_json(cli)) == {name for name in described if " --" not in name}
    assert set(SAMPLES) == described


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.command)
def test_what_is_printed_is_of_its_shape(document: Document, printed: Callable[[str], list[str]]) -> None:
    """Every field is in the schema with its type, and every field of the schema is printed."""
    schema = documentlist.schema(document)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(closed(schema))
    texts = printed(document.command)
    assert texts
    for text in texts:
        validator.validate(json.loads(text))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.command)
def test_a_document_without_a_field_is_refused(document: Document, printed: Callable[[str], list[str]]) -> None:
    """So the schemas say something: all fields of the outermost object are required."""
    found = json.loads(printed(document.command)[0])
    whole = found[0] if isinstance(found, list) else found
    inner = next(iter(whole.values())) if document.command == "capture --digest" else whole
    inner.pop(next(iter(inner)))
    assert not Draft202012Validator(documentlist.schema(document)).is_valid(found)


def test_the_committed_schemas_are_those_of_the_code() -> None:
    """After a change of a type: ``joinstorm engines schemas --out docs/schemas``."""
    folder = DOCS / "schemas"
    committed = {str(path.relative_to(folder)): path.read_text() for path in folder.glob("*/*.json")}
    assert committed == documentlist.texts()


def test_schemas_are_written_where_they_are_wanted(tmp_path: Path) -> None:
    """The folder is made, with the subfolder for commands."""
    assert {str(path.relative_to(tmp_path)) for path in documentlist.write(tmp_path)} == set(documentlist.texts())


def test_the_page_names_every_document() -> None:
    """docs/json.md has the table of all documents and their schemas."""
    assert documentlist.table() in (DOCS / "json.md").read_text()
