"""YAML of users: what costs more than it says is refused at once, and no error quotes the file."""

import os
from pathlib import Path

import pytest
import yaml

from producers.safeyaml import MAX_BYTES, YamlError, compose, read_text

FILE = Path("own.yaml")
LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 10)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{level}: &a{level} {{<<: [{', '.join([f'*a{level - 1}'] * 10)}]}}\n" for level in range(1, 10)
)

REFUSED = {
    "billion laughs": (LAUGHS, "own.yaml:4: expected at most 10,000 values, aliases written out"),
    "billion laughs by merging": (MERGES, "own.yaml:5: expected at most 10,000 values, aliases written out"),
    "brackets": ("x: " + "[" * 5_000, "own.yaml:1: nested more than 30 levels deep"),
    "braces": ("x: " + "{a: " * 5_000, "own.yaml:1: nested more than 30 levels deep"),
    "dashes": ("- " * 5_000, "own.yaml:1: nested more than 30 levels deep"),
    "closed brackets": ("[" * 5_000 + "]" * 5_000, "own.yaml:1: nested more than 30 levels deep"),
    "a merge of itself": ("x: &x\n  <<: *x\n", "own.yaml:2: an alias stands inside what it stands for"),
    "a list in itself": ("x: &x [1, [*x]]\n", "own.yaml:1: an alias stands inside what it stands for"),
    "many values": ("- 1\n" * 10_001, "own.yaml:10000: expected at most 10,000 values, aliases written out"),
    "a long name": (f"? {'x' * 500}\n: 1\n", "own.yaml:1: expected field names of at most 200 characters"),
    "too large": ("#" * (MAX_BYTES + 1), "own.yaml: expected at most 256 KiB"),
    "undefined alias": ("x: *secret\n", "own.yaml: not YAML: found undefined alias … (line 1)"),
    "anchor twice": ("- &secret 1\n- &secret 2\n", "own.yaml: not YAML: second occurrence (line 2)"),
    "undefined tag": ("x: !secret!y 1\n", "own.yaml: not YAML: found undefined tag handle … (line 1)"),
    "a quote that does not end": ('x: "secret\n', "own.yaml: not YAML: found unexpected end of stream (line 2)"),
    "a list that does not end": ("x: [secret\n", "own.yaml: not YAML: expected ',' or ']', but got '<stream end>' (li"),
    "two documents": ("a: 1\n---\nsecret: 2\n", "own.yaml: not YAML: expected a single document in the stream, but"),
    "NUL": ("x: \x00", "own.yaml: not YAML: a character is not allowed"),
    "escape": ("x: \x1b[31m", "own.yaml: not YAML: a character is not allowed"),
    "beyond Unicode": ('x: "\\UFFFFFFFF"', "own.yaml: not YAML: a character is not allowed"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    """One line that names file and line, what was expected, and nothing of the content."""
    text, message = REFUSED[case]
    with pytest.raises(YamlError) as caught:
        compose(FILE, text)
    assert str(caught.value).startswith(message)
    assert str(caught.value).isprintable()
    assert "secret" not in str(caught.value)


def test_what_is_allowed() -> None:
    """Nesting, aliases, a byte order mark and a few thousand values are fine, and an empty text has no node."""
    node = compose(FILE, "\ufeffa: &a {b: [1, {c: 2}]}\nd: [*a, *a]\n")
    assert isinstance(node, yaml.MappingNode)
    assert [name.value for name, _ in node.value] == ["a", "d"]
    assert node.value[1][0].start_mark.name == "own.yaml"
    assert compose(FILE, "- 1\n" * 9_999) is not None
    assert compose(FILE, "# nothing\n") is None


def test_reading(tmp_path: Path) -> None:
    """What cannot be read, is too large or is no text is refused with its name; endless files and pipes too."""
    path = tmp_path / "own.yaml"
    path.write_text("title: Größe\n", encoding="utf-8")
    assert read_text(path, regular=True) == "title: Größe\n"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "latin").write_bytes(b"Gr\xf6sse")
    for name, regular, why in (
        ("own.yaml", True, "own.yaml: expected at most 256 KiB"),
        ("/dev/zero", False, "/dev/zero: expected at most 256 KiB"),
        ("pipe", True, "pipe: expected a regular file"),
        ("none", True, "none: there is no such file"),
        (".", False, "cannot be read: Is a directory"),
        ("latin", True, "latin: not UTF-8: byte 3 is 0xf6"),
        ("a\0b", False, "not the name of a file"),
    ):
        with pytest.raises(YamlError) as caught:
            read_text(tmp_path / name, regular=regular)
        assert str(caught.value).endswith(why)
        assert str(caught.value).isprintable()
