"""Programs as engines: ``external:COMMAND``, or an engine file that describes one (docs/adding-an-engine.md)."""

import shlex
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from streams.errors import NotInstalledError, UnknownEngineError, UsageError, reason

EXTERNAL: Final = "external"
PREFIX: Final = f"{EXTERNAL}:"
SUFFIX: Final = ".toml"
Restart: TypeAlias = Literal["", "keeps checkpoints", "reads again"]
"""What a restarted worker does, by its design; empty where not known."""


@dataclass(frozen=True)
class Program:
    """A program that implements the contract, and how to start it.

    Args:
        command: Its command line, split as a shell would.
        name: The engine name of its results.
        folder: Where it is started; relative paths in ``command`` and ``needs`` are relative to it.
        options: Its options, by name.
        needs: Files that must exist before it is started.
        build: The command that makes those files, for the error.
        language: Its programming language.
        licence: Its licence.
        restart: What a restarted worker does.
    """

    command: str
    name: str = EXTERNAL
    folder: Path = field(default_factory=Path.cwd)
    options: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    build: str = ""
    language: str = ""
    licence: str = ""
    restart: Restart = ""

    def words(self) -> list[str]:
        """Return the command line as words.

        Raises:
            UsageError: It is empty, or a quote is not closed.
        """
        try:
            words = shlex.split(self.command)
        except ValueError as error:
            raise UsageError(f"engine {self.name!r}: command {self.command!r}: {error}") from None
        if not words:
            raise UsageError(f"engine {self.name!r} needs the program to run: --option command='java -jar engine.jar'")
        return words

    def require(self) -> None:
        """Check that the program can be started.

        Raises:
            UsageError: There is no command.
            NotInstalledError: The program or a file that it needs does not exist; the text says how to make it.
        """
        hint = f"; build it: {self.build} (in {self.folder})" if self.build else ""
        program = self.words()[0]
        found = shutil.which(self.folder / program) if "/" in program else shutil.which(program)
        if found is None:
            where = f"there is no program {self.folder / program}" if "/" in program else f"{program!r} is not on PATH"
            raise NotInstalledError(f"engine {self.name!r}: {where}{hint}")
        for file in self.needs:
            if not (self.folder / file).exists():
                raise NotInstalledError(f"engine {self.name!r} needs {self.folder / file}, which does not exist{hint}")


def is_program(name: str) -> bool:
    """Whether this spelling of an engine names a program: ``external:COMMAND``, or an engine file."""
    return name.startswith(PREFIX) or name.endswith(SUFFIX)


def program_of(name: str) -> Program:
    """Return the program that ``external:COMMAND`` or ``path/to/engine.toml`` names.

    Raises:
        UnknownEngineError: The file cannot be read, or is no engine file; the text names the field.
    """
    if name.startswith(PREFIX):
        return Program(name.removeprefix(PREFIX))
    return read(Path(name))


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """The fields of an engine file."""

    name: Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    command: Annotated[str, Meta(min_length=1)]
    language: str = ""
    licence: str = ""
    restart: Restart = ""
    build: str = ""
    needs: tuple[str, ...] = ()
    options: dict[str, str | int | float | bool] = {}


def read(path: Path) -> Program:
    """Read an engine file; raises like ``program_of``."""
    try:
        text = path.read_text(encoding="utf-8")
        found = msgspec.convert(tomllib.loads(text), _File)
    except OSError as error:
        raise UnknownEngineError(f"engine file {path}: {reason(error)}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnknownEngineError(f"engine file {path} is not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise UnknownEngineError(f"engine file {path}: {error}") from error
    return Program(
        command=found.command,
        name=found.name,
        folder=path.absolute().parent,
        options={name: _text(value) for name, value in found.options.items()},
        needs=found.needs,
        build=found.build,
        language=found.language,
        licence=found.licence,
        restart=found.restart,
    )


def _text(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
