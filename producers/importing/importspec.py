"""How a recording is to be read: which column is what, what the words in it mean, and what the night was."""

import zoneinfo
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
import yaml
from msgspec import Meta

from producers.importing.fields import FIELDS, IGNORE, KINDS
from producers.importing.times import Times
from streams.contract.runinfo import SubjectRule
from streams.errors import EventFileError

Moment: TypeAlias = str | int | float
"""A time in the settings: ISO 8601, or a number as in ``producers.importing.times``."""
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]


class PhaseSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A phase of the night; it ends where the next one begins."""

    name: Name
    start: Moment
    quiet: bool = False


class FileSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one file is to be read."""

    columns: dict[str, str] = {}
    """Field (of ``producers.importing.fields``) to column name; others are looked for under the field's own name."""
    kinds: dict[str, str] = {}
    """Word in the file, in any case, to kind of event or ``ignore``; the kinds' own names are known."""
    times: Times = "auto"
    zone: str | None = None
    """IANA name of the zone of times that say none."""


class ImportSpec(FileSpec, frozen=True, kw_only=True):
    """Everything an import can be told, by flags or by a settings file in YAML."""

    name: Name | None = None
    """What the tape is called; without it the file's name."""
    space: Name = "room"
    """The room of rows that name none."""
    spaces: tuple[Name, ...] = ()
    """The rooms in the order they are to be shown; those that are not listed follow as they appear."""
    give_up_after: Annotated[float, Meta(gt=0, le=1e7)] | None = None
    """Seconds after which somebody outside who is not heard of again has given up; without it they wait on."""
    start: Moment | None = None
    end: Moment | None = None
    talk_start: Moment | None = None
    """When the talk began: waiting ends here. Without it the night's start."""
    phases: tuple[PhaseSpec, ...] = ()
    thread: str | int | None = None
    """The announcement's conversation, by its id in the file."""
    announced: Moment | None = None
    """When it began; without it the time of the conversation's first post."""
    subjects: tuple[SubjectRule, ...] = ()
    posts: FileSpec | None = None
    """How a second file, of posts, is to be read: columns of its own; kinds, times and zone as in the first, unless
    it says otherwise."""

    def for_posts(self) -> FileSpec:
        """Return how the file of posts is to be read."""
        own = self.posts or FileSpec()
        return FileSpec(
            columns=own.columns,
            kinds=self.kinds | own.kinds,
            times=self.times if own.times == "auto" else own.times,
            zone=own.zone or self.zone,
        )


class _Loader(yaml.SafeLoader):
    """Leaves times as texts: YAML's own reading of them forgets the zone's absence."""


_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path: Path) -> ImportSpec:
    """Read a settings file.

    Raises:
        EventFileError: It cannot be read, or says what is not known or not allowed; the text names the field.
    """
    try:
        said = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except (OSError, UnicodeDecodeError) as error:
        raise EventFileError(f"{path}: cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise EventFileError(f"{path}: no YAML: {error}") from None
    try:
        return msgspec.convert(said or {}, ImportSpec)
    except msgspec.ValidationError as error:
        raise EventFileError(f"{path}: {error}") from None


def check(spec: ImportSpec) -> ImportSpec:
    """Return the settings if they can be followed; raises EventFileError naming what is not known and what is."""
    for file in (spec, spec.for_posts()):
        _known("column", file.columns, FIELDS)
        _known("kind", file.kinds.values(), (*KINDS, IGNORE))
        _zone(file.zone)
    return spec


def _known(what: Literal["column", "kind"], names: Iterable[str], allowed: tuple[str, ...]) -> None:
    for name in names:
        if name not in allowed:
            raise EventFileError(f"{what} {name!r} is not known; known: {', '.join(allowed)}")


def _zone(name: str | None) -> None:
    if name is None:
        return
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise EventFileError(f"zone {name!r} is not known; expected a name such as Europe/Berlin or UTC") from None
