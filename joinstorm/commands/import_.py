"""``joinstorm import``: your own recording becomes a tape."""

import json
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import msgspec

from joinstorm.commands import options
from joinstorm.output import echo
from producers.importing.fields import FIELDS, KINDS
from producers.importing.importer import ImportRequest, import_tape, refuse_overwriting
from producers.importing.importreport import ImportReport
from producers.importing.importspec import FileSpec, ImportSpec, PhaseSpec
from producers.importing.localclock import FOLDS
from producers.importing.nightlength import LONGEST_DAYS
from producers.importing.settingsfile import load
from producers.importing.sourcetable import QUOTINGS
from producers.importing.times import DURATION_UNITS, TIMES
from streams.contract.names import MINUTE_MS
from streams.errors import EXIT_FAILED, EXIT_OK, UsageError


class Pair(click.ParamType):
    """Turns ``NAME=VALUE`` into a pair."""

    name = "NAME=VALUE"

    def __init__(self, metavar: str) -> None:
        self.name = metavar

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Cut at the equals sign next to joinstorm's own word: names in the recording may hold others."""
        left, equals, right = str(value).rpartition("=") if self.name == "WORD=KIND" else str(value).partition("=")
        if not (left and equals and right):
            self.fail(f"{value!r}: expected {self.name}", param, ctx)
        return left, right


@click.command(short_help="Turn your own recording into a tape.")
@click.argument("events", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The tape to write.")
@click.option("--posts", type=click.Path(path_type=Path), help="A second file, of posts alone.")
@click.option("--people", type=click.Path(path_type=Path), help="CSV, one row per person: the ids they go by.")
@click.option("--settings", type=click.Path(path_type=Path), help="YAML with all these options and more; flags win.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    type=Pair("FIELD=NAME"),
    help=f"The column of a field; given again for a field: the first with a value counts. Fields: {', '.join(FIELDS)}.",
)
@click.option("--posts-column", "posts_columns", multiple=True, type=Pair("FIELD=NAME"), help="The same for --posts.")
@click.option(
    "--kind", "kinds", multiple=True, type=Pair("WORD=KIND"), help=f"What a word means: {', '.join(KINDS)}, ignore."
)
@click.option("--times", type=click.Choice(TIMES), help="What times are; seen from the values if not given.")
@click.option(
    "--time-format", metavar="FORM", help="How times are written, as in Python's strptime: %m/%d/%Y %I:%M %p."
)
@click.option("--zone", help="Zone of times without one, such as Europe/Berlin.")
@click.option("--doubled-hour", type=click.Choice(FOLDS), help="Which of two equal hours is meant as summer time ends.")
@click.option(
    "--duration-unit", type=click.Choice(DURATION_UNITS), help="Unit of plain numbers in durations.  [default: s]"
)
@click.option("--skip-lines", type=click.IntRange(0), help="Lines above the header of the table.")
@click.option(
    "--section",
    help="The table begins below the line that starts so, and ends at a blank line; of JSON, the array of rows.",
)
@click.option("--encoding", help="Of the text files; seen from their bytes if not given.")
@click.option(
    "--quoting", type=click.Choice(QUOTINGS), help="How CSV writes a quote inside of quotes.  [default: auto]"
)
@click.option("--missing", multiple=True, metavar="WORD", help="A further word that means no value, such as NA.")
@click.option("--space", help="The room of rows that name none.  [default: room]")
@click.option("--name", help="What the tape is called.  [default: the file's name]")
@click.option("--talk-start", help="When the talk began, which ends the waiting.  [default: the first event]")
@click.option("--phase", "phases", multiple=True, type=Pair("NAME=TIME"), help="A phase of the night and its start.")
@click.option(
    "--give-up-after",
    type=float,
    metavar="SECONDS",
    help="Seconds after which a silent waiting listener counts as gone.",
)
@click.option("--allow-long", is_flag=True, help=f"Take a night of more than {LONGEST_DAYS} days.")
@click.option("--strict", is_flag=True, help="Exit with 1 on any problem or warning.")
@options.output_format()
def command(
    *,
    events: Path,
    out: Path,
    posts: Path | None,
    people: Path | None,
    settings: Path | None,
    strict: bool,
    form: str,
    **flags: Any,
) -> int:
    """Turn your own recording of joins, leaves and posts into a tape.

    EVENTS is CSV, JSON, JSONL or Parquet with at least a time, a person and a kind of event per row, or with a time to
    join and a time to leave; ids may be any texts. Rows that cannot be true are left out, counted and named;
    docs/importing.md has the rules.
    """
    if settings is not None:
        refuse_overwriting([out], [settings])
    spec = load(settings) if settings else ImportSpec()
    request = ImportRequest(events, out, with_flags(spec, flags), posts=posts, people=people)
    report = import_tape(request, generator=version("joinstorm"))
    echo(json.dumps(report.as_json(), indent=2) if form == "json" else text(report))
    return EXIT_FAILED if strict and (report.problems.counts or report.warnings) else EXIT_OK


def with_flags(spec: ImportSpec, flags: dict[str, Any]) -> ImportSpec:
    """Return settings with the values of flags in place of their own."""
    changes = {name: value for name, value in flags.items() if name in ImportSpec.__struct_fields__ and value}
    changes["columns"] = spec.columns | _columns(flags["columns"])
    changes["kinds"] = spec.kinds | _kinds(flags["kinds"])
    if flags["phases"]:
        changes["phases"] = tuple(PhaseSpec(name, start) for name, start in flags["phases"])
    if flags["posts_columns"]:
        own = spec.posts or FileSpec()
        changes["posts"] = msgspec.structs.replace(own, columns=own.columns | _columns(flags["posts_columns"]))
    return msgspec.structs.replace(spec, **changes)


def _columns(pairs: Sequence[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for field, name in pairs:
        found[field] = (*found.get(field, ()), name)
    return found


def _kinds(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word, kind in pairs:
        if found.setdefault(word, kind) != kind:
            raise UsageError(f"--kind {word}={found[word]} and --kind {word}={kind}: a word has one meaning")
    return found


def text(report: ImportReport) -> str:
    """Return a report for people."""
    info = report.info
    minutes = (info.end - info.start) / MINUTE_MS
    lines = [
        f"{report.tape}: {info.events} events of {info.people} people, {minutes:.0f} minutes, {info.sha256[:16]}",
        f"{report.ids}: the ids",
        *(file.text() for file in report.files),
        "events: " + ", ".join(f"{kind} {count}" for kind, count in report.kinds.items()),
    ]
    if report.put_in:
        lines.append("put in among them: " + ", ".join(f"{kind} {count}" for kind, count in report.put_in.items()))
    lines.append(f"still in a room at the end: {report.inside_at_end}")
    lines += [f"warning: {line}" for line in report.warnings]
    lines += [f"problem: {line}" for line in report.problems.lines()]
    if not (report.warnings or report.problems.counts):
        lines.append("no problems")
    return "\n".join(lines)
