"""The JSON Schemas in docs/schemas are those of the code, and the golden records are of their shape."""

from pathlib import Path

import msgspec
import pytest

from streams.contract import schemas
from streams.contract.topics import PRESENCE
from streams.golden import NIGHTS, load

FOLDER = Path(__file__).parents[4] / "docs" / "schemas"


def test_the_committed_schemas_are_those_of_the_code() -> None:
    """After a change of a type: ``joinstorm engines schemas --out docs/schemas``."""
    assert {path.name: path.read_text() for path in FOLDER.glob("*.json")} == schemas.texts()


def test_schemas_are_written_where_they_are_wanted(tmp_path: Path) -> None:
    """The folder is made if it is missing."""
    assert {path.name for path in schemas.write(tmp_path / "new")} == set(schemas.texts())


@pytest.mark.parametrize("name", NIGHTS)
def test_golden_records_have_the_fields_of_their_schema(name: str) -> None:
    """Every required field is present and every field is known (but one), so the schemas match the nights."""
    for record in (one for one in load(name).records if not one.reason):
        kind = "mark" if record.key is None else "presence" if record.topic == PRESENCE else "tweet"
        shape = schemas.schema(kind)
        fields = set(msgspec.json.decode(record.value)) - {"x"}  # the night edges has a field that nobody knows
        assert set(shape["required"]) <= fields <= set(shape["properties"])
