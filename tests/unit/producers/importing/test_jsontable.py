"""Reading JSON: an array of objects is found or named, and nothing of it is guessed."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from producers.importing.jsontable import read_json
from producers.importing.sourcetable import FileLayout, SourceTable
from streams.errors import EventFileError

COLUMNS: Final = ("timestamp", "author.id", "reference.messageId")
CHAT: Final[dict[str, Any]] = {
    "guild": {"id": "1", "name": "Town hall"},
    "messages": [
        {"id": "7", "timestamp": "2023-05-24T22:00:00+00:00", "author": {"id": "31", "roles": [{"name": "host"}]}},
        {"id": "8", "timestamp": "2023-05-24T22:00:05+00:00", "author": {"id": "32"}, "reference": {"messageId": "7"}},
    ],
    "messageCount": 2,
}


def read(folder: Path, text: str, section: str | None = None) -> SourceTable:
    """Read a file of this text."""
    file = folder / "r.json"
    file.write_text(text)
    return read_json(file, COLUMNS, FileLayout(section=section))


def refusal(folder: Path, text: str, section: str | None = None) -> str:
    """Return why a file of this text is refused."""
    with pytest.raises(EventFileError) as refused:
        read(folder, text, section)
    return str(refused.value)


def test_the_only_array_of_objects_is_the_table(tmp_path: Path) -> None:
    """The layout of a chat export; arrays inside of its messages are none of the table's."""
    found = read(tmp_path, json.dumps(CHAT))
    assert found.rows == 2
    assert found.frame.rows() == [
        ("2023-05-24T22:00:00+00:00", "31", None),
        ("2023-05-24T22:00:05+00:00", "32", "7"),
    ]


def test_one_of_several_arrays_is_named(tmp_path: Path) -> None:
    """Nothing decides between two; the error lists them by the names that --section takes."""
    two = json.dumps({**CHAT, "meeting": {"people": [{"name": "x"}]}})
    assert refusal(tmp_path, two) == (
        f"{tmp_path / 'r.json'}: expected one array of objects; arrays of objects in it: messages, meeting.people; "
        "choose one with --section"
    )
    assert read(tmp_path, two, "messages").rows == 2
    assert read(tmp_path, two, "meeting.people").names == ("name",)
    assert "no array stands under 'people' (--section); arrays of objects in it: messages" in refusal(
        tmp_path, two, "people"
    )


def test_a_single_object_is_one_row(tmp_path: Path) -> None:
    """As in JSONL, of which this is a file of one line."""
    assert read(tmp_path, '{"timestamp": 5, "author": {"id": 9}}').frame.rows() == [("5", "9")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "r.json, line 1: no JSON: Expecting value"),
        ('[{"timestamp": 1},\n {"timestamp": ]', "r.json, line 2: no JSON: Expecting value"),
        ('[{"timestamp": 1}, 5]', "r.json, row 2: no JSON object, but '5'"),
        ('[{"timestamp": 1, "timestamp": 2}]', "r.json: the key 'timestamp' stands twice in one object"),
        ('{"timestamp": 1}\n{"timestamp": 2', "r.json, line 2: no JSON object"),
        ('[{"timestamp": 1}]\n[{"timestamp": 2}]', "r.json, line 1: no JSON object, but"),
        ("5", "r.json: expected one array of objects; arrays of objects in it: none"),
        ("[" * 50_000, "r.json: no JSON: maximum recursion depth"),
    ],
)
def test_what_is_no_table_is_refused(text: str, message: str, tmp_path: Path) -> None:
    """With the line or the row, and what was expected."""
    assert message in refusal(tmp_path, text)
