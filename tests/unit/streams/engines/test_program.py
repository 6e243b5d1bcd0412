"""Programs as engines: a command or an engine file, and what is missing is named before anything starts."""

from pathlib import Path

import pytest

from joinstorm.cli import main
from joinstorm.engines.catalog import engine_under_test, entry, state
from streams.engines.abstract import WorkerSettings
from streams.engines.external.engine import ExternalEngine, environment
from streams.engines.program import Program
from streams.engines.registry import load, name_of
from streams.errors import EXIT_ENVIRONMENT, EXIT_USAGE, NotInstalledError, UnknownEngineError, UsageError
from streams.golden import load as golden
from streams.kafka.connection import Connection

FILE = """
name = "mine"
command = "./engine --fast"
language = "Go"
licence = "Apache-2.0"
needs = ["data.bin"]
build = "make"
[options]
batch-size = 500
"""


@pytest.fixture
def engine_file(tmp_path: Path) -> Path:
    """An engine file whose program and whose data exist."""
    (tmp_path / "engine").write_text("#!/bin/sh\n")
    (tmp_path / "engine").chmod(0o755)
    (tmp_path / "data.bin").touch()
    file = tmp_path / "engine.toml"
    file.write_text(FILE)
    return file


def test_a_command_is_an_engine() -> None:
    """``external:COMMAND`` starts in the current folder, under the name external."""
    engine = load("external:java -jar 'my engine.jar'")
    assert isinstance(engine, ExternalEngine)
    assert engine.program.words() == ["java", "-jar", "my engine.jar"]
    assert name_of("external:java -jar x.jar") == "external"


def test_an_engine_file_is_an_engine(engine_file: Path) -> None:
    """It has the name, folder and options of its file; the catalog shows language and licence."""
    engine = load(str(engine_file))
    assert isinstance(engine, ExternalEngine)
    assert (engine.name, engine.program.folder) == ("mine", engine_file.parent)
    assert engine.program.options == {"batch-size": "500"}
    assert entry(str(engine_file)).what == "a program in Go, licence Apache-2.0: ./engine --fast"
    assert state(str(engine_file)) == "installed"
    assert engine_under_test(str(engine_file), options={"a": "1"}).start == [
        "--engine",
        str(engine_file),
        "--option",
        "a=1",
    ]


def test_options_of_a_program_are_variables(tmp_path: Path) -> None:
    """A program finds each of its options in the environment, next to its settings."""
    options = {"state_dir": str(tmp_path)}
    settings = WorkerSettings(Connection(), golden("doors").info, "mine", options=options)
    assert environment(settings, {"batch-size": "9"})["JOINSTORM_OPTION_BATCH_SIZE"] == "9"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('name = "a b"\ncommand = "x"', "name"),
        ('name = "a"', "missing required field `command`"),
        ('name = "a"\ncommand = "x"\nlicense = "MIT"', "unknown field `license`"),
        ("name = ", "is not TOML"),
    ],
)
def test_a_wrong_engine_file_is_named_with_its_field(text: str, words: str, tmp_path: Path) -> None:
    """So is a file that does not exist."""
    file = tmp_path / "engine.toml"
    file.write_text(text)
    with pytest.raises(UnknownEngineError, match=words):
        load(str(file))
    with pytest.raises(UnknownEngineError, match="No such file"):
        load(str(tmp_path / "no.toml"))


def test_what_a_program_needs_and_lacks_is_named(engine_file: Path) -> None:
    """The file that is missing, the folder, and the command that builds it."""
    (engine_file.parent / "data.bin").unlink()
    with pytest.raises(NotInstalledError, match=rf"needs {engine_file.parent}/data\.bin.*build it: make"):
        engine_under_test(str(engine_file))
    (engine_file.parent / "engine").unlink()
    with pytest.raises(NotInstalledError, match=rf"there is no program {engine_file.parent}/engine"):
        engine_under_test(str(engine_file))
    with pytest.raises(NotInstalledError, match="'no-such-program' is not on PATH"):
        Program("no-such-program -x").require()
    for command in ("", "  "):
        with pytest.raises(UsageError, match="needs the program to run"):
            engine_under_test("external", options={"command": command})
    with pytest.raises(UsageError, match="No closing quotation"):
        Program("a 'b").require()


@pytest.mark.parametrize("command", ["run --engine", "run --extra-engine", "chaos --engine", "conform", "compare"])
def test_a_missing_command_is_refused_before_anything_starts(
    command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a broker nor a tape is made for it."""
    monkeypatch.chdir(tmp_path)
    assert main([*command.split(), "external:no-such-program"]) == EXIT_ENVIRONMENT
    assert "'no-such-program' is not on PATH" in capsys.readouterr().err
    assert main([*command.split(), "external"]) == EXIT_USAGE
    assert "needs the program to run" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
