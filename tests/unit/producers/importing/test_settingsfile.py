"""Settings files: plain words stay as they are written, and nothing is dropped or made endless."""

from pathlib import Path

import pytest

from producers.importing.settingsfile import load
from streams.errors import EventFileError


def settings(folder: Path, text: str) -> Path:
    """Write a settings file."""
    file = folder / "s.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_yaml_has_no_ideas_of_times_and_numbers(tmp_path: Path) -> None:
    """Clocks, leading zeros, exponents, dates and truth values reach times, names and ids as they are written."""
    spec = load(settings(tmp_path, (
        "name: 0123\nstart: 21:30\nend: 2023-05-24\ntalk_start: 1e3\nthread: 0o17\nspaces: [yes, 1_000, 010, ~x]\n"
        "kinds: {on: join, off: leave, 1: ignore, null: drop}\ncolumns: {person: [no, 12:30:45]}\n"
        "phases: [{name: 1:20, start: 22:05:00, quiet: yes}]\nsubjects: [{subject: 0x1F, conversations: [007, 1.0]}]\n"
        "give_up_after: 600\nskip_lines: 3\n"
    )))  # fmt: skip
    assert (spec.name, spec.start, spec.end, spec.talk_start, spec.thread) == (
        "0123",
        "21:30",
        "2023-05-24",
        "1e3",
        "0o17",
    )
    assert spec.spaces == ("yes", "1_000", "010", "~x")
    assert spec.kinds == {"on": "join", "off": "leave", "1": "ignore", "null": "drop"}
    assert spec.columns == {"person": ("no", "12:30:45")}
    assert [(phase.name, phase.start, phase.quiet) for phase in spec.phases] == [("1:20", "22:05:00", True)]
    assert [(rule.subject, rule.conversations) for rule in spec.subjects] == [("0x1F", ("007", "1.0"))]
    assert (spec.give_up_after, spec.skip_lines) == (600.0, 3)


def test_no_value_is_no_value(tmp_path: Path) -> None:
    """An empty place, ~ and null are nothing where they are not in quotes."""
    spec = load(settings(tmp_path, "name:\nstart: ~\nthread: null\nzone: 'null'\n"))
    assert (spec.name, spec.start, spec.thread, spec.zone) == (None, None, None, "null")
    assert load(settings(tmp_path, "# nothing\n")) == load(settings(tmp_path, "{}"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kinds: {a: join}\nspace: x\nkinds: {a: leave}\n", "line 3: 'kinds' stands twice"),
        ('kinds: {on: join, "on": leave}\n', "line 1: 'on' stands twice"),
        ("phases: [{name: a, start: 1, name: b}]\n", "line 1: 'name' stands twice"),
        ("spaces: &a [*a]\n", "an alias stands inside what it stands for"),
        ("name: &x a\n<<: *x\n", "unknown field `<<`"),
        ("spaces: " + "[" * 5000, "nested more than 30 levels deep"),
        ("#" * (1 << 20), "expected at most 256 KiB"),
        ("? [a]\n: b\n", "line 1: expected a plain name"),
        ("name: a\n---\nname: b\n", "not YAML"),
        ("spaces: [a\nb: c\n", "not YAML: expected ',' or ']', but got ':' (line 2)"),
        ("colums: {}", "unknown field `colums`"),
        ("skip_lines: many\n", "$.skip_lines"),
        ("phases: [{name: a, start: 1, quiet: perhaps}]\n", "$.phases[0].quiet"),
        ("- a\n", "Expected `object`"),
    ],
)
def test_wrong_settings_are_refused_with_their_place(text: str, message: str, tmp_path: Path) -> None:
    """A key given twice, endless files and values that do not fit are named."""
    with pytest.raises(EventFileError) as error:
        load(settings(tmp_path, text))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """Settings are UTF-8."""
    file = tmp_path / "s.yaml"
    file.write_bytes(b"name: \xff\n")
    with pytest.raises(EventFileError, match="not UTF-8: byte 7 is 0xff"):
        load(file)
