"""What commands print: escapes of others reach no terminal and no page, and no encoding ends a command."""

import ast
import io
import json
import logging
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from joinstorm.cli import main
from joinstorm.commands.dead_letters import _json, _text
from joinstorm.compare.comparepage import to_html
from joinstorm.compare.scores import Score, Scoreboard
from joinstorm.conformance import certificatereport
from joinstorm.conformance.certificate import Certificate, PointOutcome
from joinstorm.engines.setup import EngineSetup
from joinstorm.output import VisibleFormatter, echo
from joinstorm.terminal.display import LiveDisplay, PlainDisplay
from joinstorm.terminal.frames import Frame
from joinstorm.terminal.progressbar import describe
from producers.replay.deck import DeckState
from streams.contract.deadletters import DeadLetter
from streams.errors import EXIT_USAGE
from streams.visible import escape

ROOT = Path(__file__).parents[3]
EVIL = "\x1b]0;x\x07\u202egpj\x9b31m<script>alert(1)</script>[red]x[/]"
HARMFUL = set("\x1b\x07\u202e\x9b")
SECONDS = 120


class _Tags(HTMLParser):
    """Collects the tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - its signature
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_printed_text_obeys_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    """On stdout and on stderr everything is visible; lines stay lines."""
    echo(f"a\n{EVIL}")
    echo(f"{EVIL}\r", err=True)
    out, err = capsys.readouterr()
    assert out.startswith("a\n\\x1b]0;x\\x07\\u202egpj\\u009b31m<script>")
    assert err.endswith("\\x0d\n")
    assert not HARMFUL & set(out + err)


def test_errors_name_what_was_given_visibly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file, a field, a command, an option or a variable with escapes in its name: the one line shows them."""
    path = tmp_path / "own\x1b[31m.yaml"
    path.write_text('extends: launch\n"\\e]0;pwn\\a\\e[31mname": 1\n')
    for arguments in (
        ["scenarios", "validate", str(path)],
        ["scenarios", "validate", EVIL],
        ["scenarios", EVIL],
        ["replay", str(tmp_path / EVIL.replace("/", "")), f"--speed={EVIL}"],
        ["replay", "none.parquet", f"--{EVIL}"],
        [EVIL],
    ):
        assert main(arguments) == EXIT_USAGE
        err = capsys.readouterr().err
        assert "\\x1b" in err
        assert not HARMFUL & set(err)


def test_the_log_is_visible() -> None:
    """A message of any library, arguments and traceback included."""
    try:
        int(EVIL)
    except ValueError:
        record = logging.LogRecord("kafka", logging.ERROR, "", 0, "topic %s", (EVIL,), sys.exc_info())
    text = VisibleFormatter("%(message)s").format(record)
    assert "\\x1b]0;x\\x07" in text
    assert not HARMFUL & set(text)


def test_dead_letters_are_a_line_and_its_bytes() -> None:
    """A record's own words are part of the detail: they cannot end the line or colour the next one."""
    letter = DeadLetter("presence", 0, 7, "malformed", f"{EVIL}\nsecond", "run", EVIL, b"\x1b[31m\xff")
    text = _text(letter)
    assert text.count("\n") == 1
    assert not HARMFUL & set(text)
    shown = io.StringIO()
    shown.write(_json(letter))
    assert json.loads(shown.getvalue())["engine"] == EVIL


def test_the_display_shows_names_as_they_are() -> None:
    """Rooms, phases, titles and messages are neither escapes nor markup, on a terminal and elsewhere."""
    frame = Frame(phase=EVIL, at=0, progress=0.5, audience={EVIL: 3}, state=EVIL)
    console = Console(file=io.StringIO(), force_terminal=True, width=400, color_system=None)
    live = LiveDisplay(console, EVIL)
    live.show_message(EVIL)
    live.update(frame)
    live.close()
    plain = io.StringIO()
    display = PlainDisplay(plain)
    display.show_message(EVIL)
    display.update(frame)
    for text in (console.file.getvalue(), plain.getvalue()):  # type: ignore[attr-defined]  # rich types a plain stream
        assert "\\x1b]0;x\\x07" in text
        assert "[red]x[/]" in text
        assert not {"\x07", "\u202e", "\x9b"} & set(text)
        assert "\x1b]" not in text
    assert not HARMFUL & set(describe(DeckState(run=EVIL, phase=EVIL, state=EVIL)))


def test_pages_show_names_as_text() -> None:
    """Certificates and scoreboards of an engine with such a name hold no tag and no hidden character of it."""
    outcome = PointOutcome(point=EVIL, says=EVIL, status="wrong", detail=EVIL)
    certificate = Certificate(engine=EVIL, outcomes=(outcome,), versions={EVIL: EVIL}, limits=EVIL, made=EVIL)
    board = Scoreboard(
        truth_digest=EVIL, events=1, scenario=EVIL, scale=1.0, seed=1, seed_from="scenario", workers=1, repeats=1,
        load=1.0, fault_events=1,
        scores=(Score(engine=EVIL, problems=(EVIL,), setup=EngineSetup(what=EVIL, licence=EVIL)),),
        machine={EVIL: EVIL}, versions={EVIL: EVIL}, made=EVIL, seconds=1.0,
    )  # fmt: skip
    for page in (certificatereport.to_html(certificate), to_html(board)):
        read = _Tags(page)
        assert "script" not in read.tags
        assert "<script>alert(1)</script>" in read.text
        assert not HARMFUL & set(page)
    assert escape("\"'") == "&quot;&#x27;"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_text_can_be_printed(tmp_path: Path, encoding: str) -> None:
    """Whatever the locale: a scenario with a title in many scripts is shown, as text and as the same JSON."""
    folder = tmp_path / "Größe 東京"
    folder.mkdir()
    path = folder / "nächte.yaml"
    path.write_text("extends: quiet\nname: own\ntitle: Größe 東京 😀\n", encoding="utf-8")
    environ = {**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    for form in ("yaml", "json"):
        command = [sys.executable, "-m", "joinstorm.cli", "scenarios", "show", str(path), "--format", form]
        done = subprocess.run(command, env=environ, capture_output=True, timeout=SECONDS, check=False, cwd=ROOT)
        assert (done.returncode, done.stderr) == (0, b"")
        if form == "json":
            assert (
                json.loads(done.stdout.decode("latin-1" if encoding == "latin-1" else "utf-8"))["title"]
                == "Größe 東京 😀"
            )


@pytest.mark.parametrize("utf8", ["0", "1"])
def test_names_that_are_no_text_can_be_named(tmp_path: Path, utf8: str) -> None:
    """Under LC_ALL=C a missing file whose name is in no encoding is named in one line."""
    environ = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": utf8, "PYTHONCOERCECLOCALE": "0"}
    path = os.fsencode(tmp_path) + b"/n\xe4chte-\xe6\x9d\xb1.yaml"
    command = [os.fsencode(sys.executable), b"-m", b"joinstorm.cli", b"scenarios", b"validate", path]
    done = subprocess.run(command, env=environ, capture_output=True, timeout=SECONDS, check=False, cwd=ROOT)
    assert done.returncode == EXIT_USAGE
    assert done.stderr.count(b"\n") == 1
    assert done.stderr.rstrip().endswith(b".yaml: there is no such file")


def test_every_command_prints_by_the_one_helper() -> None:
    """No module of the command line prints by itself, so none can forget to make its text visible."""
    by_themselves = {"click.echo", "click.secho", "sys.stdout.write"}
    found = {
        path.relative_to(ROOT / "joinstorm").as_posix()
        for path in (ROOT / "joinstorm").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in by_themselves
    }
    assert found == {"output.py"}
