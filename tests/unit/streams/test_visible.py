"""Text of others, shown: no terminal obeys it, and honest text stays as it is."""

import codecs
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.visible import spell_unencodable, spelled, visible, visible_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;x\x07", "\\x1b]0;x\\x07"),
        ("\x9b31m", "\\u009b31m"),
        ("night\u202egpj.exe", "night\\u202egpj.exe"),
        ("\u2066a\u2069", "\\u2066a\\u2069"),
        ("a\rb\x7f", "a\\x0db\\u007f"),
        ("\U000e0041", "\\udb40\\udc41"),
        ("caf\udce9", "caf\\udce9"),
        ("Größe, 東京, 👩\u200d🚒, می\u200cروم", "Größe, 東京, 👩\u200d🚒, می\u200cروم"),
        ("two\n\tlines", "two\n\tlines"),
        ("", ""),
    ],
)
def test_visible(text: str, shown: str) -> None:
    """Escapes, turns of direction, hidden and undecodable characters are spelled; letters, emoji and lines stay."""
    assert visible(text) == shown


def test_one_line() -> None:
    """As a single line, with its line ends spelled, and cut where that is wanted."""
    assert visible_line("a\nb\tc\r") == "a\\x0ab\\x09c\\x0d"
    assert visible_line("a\u2028b") == "a\\u2028b"
    assert visible_line("abcdef", 3) == "abc…"
    assert visible_line("abc", 3) == "abc"


@given(st.text())
def test_json_stays_the_same_json(text: str) -> None:
    """What is spelled in JSON reads as the same text."""
    for encoded in (json.dumps([text]), json.dumps([text], ensure_ascii=False)):
        assert json.loads(visible(encoded)) == [text]


@given(st.text(st.characters()))
def test_nothing_to_obey_is_left(text: str) -> None:
    """Whatever the text, the result is printable, and what is printable is the result."""
    shown = visible_line(text)
    assert all(one.isprintable() or one in "\u200c\u200d" for one in shown)
    assert visible_line(shown) == shown


def test_what_an_encoding_lacks_is_spelled() -> None:
    """As an error handler: a terminal without Unicode gets the numbers, and JSON stays JSON."""
    codecs.register_error("test.spelled", spell_unencodable)
    assert '"é😀\udcff"'.encode("ascii", "test.spelled") == b'"\\u00e9\\ud83d\\ude00\\udcff"'
    assert spelled("\x07é") == "\\x07\\u00e9"
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("ascii", "test.spelled")
