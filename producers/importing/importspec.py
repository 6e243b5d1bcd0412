"""How a recording is to be read: which column is what, what its words mean, and what the night was."""

import zoneinfo
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, TypeAlias

import msgspec
import polars as pl
from msgspec import Meta

from producers.importing.fields import FIELDS, IGNORE, KINDS
from producers.importing.localclock import Fold
from producers.importing.sourcetable import FileLayout, Quoting
from producers.importing.textfile import known_encoding
from producers.importing.times import DurationUnit, TimeReading, Times
from streams.contract.names import ALL
from streams.contract.runinfo import SubjectRule
from streams.errors import EventFileError
from streams.suggest import unknown

Moment: TypeAlias = str | int | float
"""A time in the settings: ISO 8601, or a number as in ``producers.importing.times``."""
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]
Columns: TypeAlias = str | tuple[str, ...]
"""One column, or several of which the first that has a value counts."""


class PhaseSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A phase of the night; it ends where the next one begins."""

    name: Name
    start: Moment
    quiet: bool = False


class FileSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one file is to be read."""

    columns: dict[str, Columns] = {}
    """Field (of ``producers.importing.fields``) to columns; others are looked for under the field's own name."""
    kinds: dict[str, str] = {}
    """Word in the file, in any case, to kind of event or ``ignore``; the kinds' own names are known."""
    times: Times = "auto"
    time_format: str | None = None
    """How times are written, as Python's ``strptime`` takes it."""
    zone: str | None = None
    """IANA name of the zone of times without one."""
    doubled_hour: Fold | None = None
    """Which of two equal hours is meant at the end of summer time if the order of the rows leaves it open."""
    duration_unit: DurationUnit = "s"
    """What plain numbers in the field ``duration`` are."""
    encoding: str | None = None
    skip_lines: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    section: Name | None = None
    quoting: Quoting = "auto"
    missing: tuple[Name, ...] = ()
    """Further words that mean no value."""

    def layout(self) -> FileLayout:
        """Return where in the file the table is."""
        return FileLayout(self.encoding, self.skip_lines, self.section, self.quoting)

    def clock(self) -> TimeReading:
        """Return how times are to be read."""
        return TimeReading(self.times, self.zone, self.time_format, self.doubled_hour)

    def sources(self) -> dict[str, tuple[str, ...]]:
        """Return the columns of each field that has some of its own."""
        return {field: (columns,) if isinstance(columns, str) else columns for field, columns in self.columns.items()}


class ImportSpec(FileSpec, frozen=True, kw_only=True):
    """All that an import can be asked for, by flags or by a settings file in YAML."""

    name: Name | None = None
    """What the tape is called; without it the file's name."""
    space: Name = "room"
    """The room of rows that name none."""
    spaces: tuple[Name, ...] = ()
    """The rooms in the order they are to be shown; those that are not listed follow as they appear."""
    give_up_after: Annotated[float, Meta(gt=0, le=1e7)] | None = None
    """Seconds after which a silent waiting listener counts as gone; without it they wait on."""
    allow_long: bool = False
    """Take a night longer than ``producers.importing.nightlength.LONGEST_DAYS``."""
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
    """How a second file, of posts, is to be read: kinds, times, zone and missing words as in the first file unless
    given, all else of its own."""

    def for_posts(self) -> FileSpec:
        """Return how the file of posts is to be read."""
        own = self.posts or FileSpec()
        return msgspec.structs.replace(
            own,
            kinds={plain_word(word): kind for kinds in (self.kinds, own.kinds) for word, kind in kinds.items()},
            times=self.times if own.times == "auto" else own.times,
            time_format=own.time_format or (self.time_format if own.times == "auto" else None),
            zone=own.zone or self.zone,
            doubled_hour=own.doubled_hour or self.doubled_hour,
            missing=own.missing or self.missing,
        )


def plain_word(word: str) -> str:
    """Return a word for a kind of event as words are compared: without regard to case and blanks around it."""
    return word.strip().lower()


def check(spec: ImportSpec) -> ImportSpec:
    """Return the settings if they can be followed; raises EventFileError naming what is not known and what is."""
    for file in (spec, spec.for_posts()):
        _known("column", file.columns, FIELDS)
        _known("kind", file.kinds.values(), (*KINDS, IGNORE))
        _zone(file.zone)
        if file.encoding is not None:
            known_encoding(file.encoding)
    for kinds in (spec.kinds, spec.posts.kinds if spec.posts else {}):
        _refuse_contradiction(kinds)
    for rule in spec.subjects:
        if rule.subject in (ALL, ""):
            raise EventFileError(f"a subject cannot be called {rule.subject!r}: {ALL!r} stands for all of them")
    return spec


def _known(what: Literal["column", "kind"], names: Iterable[str], allowed: tuple[str, ...]) -> None:
    for name in names:
        if name not in allowed:
            raise EventFileError(unknown(what, name, allowed))


def _refuse_contradiction(kinds: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for word, kind in kinds.items():
        plain = plain_word(word)
        if seen.setdefault(plain, kind) != kind:
            raise EventFileError(
                f"kinds: {plain!r} is both {seen[plain]!r} and {kind!r}; upper case makes no other word"
            )


def _zone(name: str | None) -> None:
    if name is None:
        return
    try:
        zoneinfo.ZoneInfo(name)
        pl.Series([0], dtype=pl.Int64).cast(pl.Datetime("ms")).dt.replace_time_zone(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError, pl.exceptions.PolarsError):
        raise EventFileError(f"zone {name!r} is not known; expected a name such as Europe/Berlin or UTC") from None
