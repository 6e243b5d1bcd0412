"""``joinstorm import``: somebody's own recording becomes a tape."""

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import msgspec

from producers.importing.fields import FIELDS, KINDS
from producers.importing.importer import ImportReport, import_tape
from producers.importing.importspec import FileSpec, ImportSpec, PhaseSpec, load
from producers.importing.times import TIMES
from streams.contract.names import MINUTE_MS
from streams.errors import EXIT_FAILED, EXIT_OK


class Pair(click.ParamType):
    """Turns ``NAME=VALUE`` into a pair."""

    name = "NAME=VALUE"

    def __init__(self, metavar: str) -> None:
        self.name = metavar

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Cut at the equals sign beside our own word: what the recording says may hold others."""
        left, equals, right = str(value).rpartition("=") if self.name == "WORD=KIND" else str(value).partition("=")
        if not (left and equals and right):
            self.fail(f"{value!r}: expected {self.name}", param, ctx)
        return left, right


@click.command(short_help="Turn your own recording into a tape.")
@click.argument("events", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The tape to write.")
@click.option("--posts", type=click.Path(path_type=Path), help="A second file, of posts alone.")
@click.option("--settings", type=click.Path(path_type=Path), help="YAML with all that flags say and more; flags win.")
@click.option(
    "--column", "columns", multiple=True, type=Pair("FIELD=NAME"), help=f"Which column is what: {', '.join(FIELDS)}."
)
@click.option("--posts-column", "posts_columns", multiple=True, type=Pair("FIELD=NAME"), help="The same for --posts.")
@click.option(
    "--kind", "kinds", multiple=True, type=Pair("WORD=KIND"), help=f"What a word means: {', '.join(KINDS)}, ignore."
)
@click.option("--times", type=click.Choice(TIMES), help="What times are; seen from the values if not given.")
@click.option("--zone", help="Zone of times that say none, such as Europe/Berlin.")
@click.option("--space", help="The room of rows that name none.  [default: room]")
@click.option("--name", help="What the tape is called.  [default: the file's name]")
@click.option("--talk-start", help="When the talk began, which ends the waiting.  [default: the first event]")
@click.option("--phase", "phases", multiple=True, type=Pair("NAME=TIME"), help="A phase of the night and its start.")
@click.option("--give-up-after", type=float, metavar="SECONDS", help="When somebody outside who says nothing has gone.")
@click.option("--strict", is_flag=True, help="Exit with 1 when anything had to be left out or put right.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to report.")
def command(
    *,
    events: Path,
    out: Path,
    posts: Path | None,
    settings: Path | None,
    posts_columns: Sequence[tuple[str, str]],
    strict: bool,
    form: str,
    **flags: Any,
) -> int:
    """Turn your own recording of joins, leaves and posts into a tape.

    EVENTS is CSV, JSONL or Parquet with at least a time, a person and a kind of event per row; ids may be any texts.
    Rows that cannot be true are left out, counted and named; docs/importing.md says what is made of each.
    """
    spec = load(settings) if settings else ImportSpec()
    spec = with_flags(spec, {**flags, "posts_columns": posts_columns})
    report = import_tape(events, out, spec, posts_file=posts, generator=version("joinstorm"))
    click.echo(json.dumps(report.as_json(), indent=2) if form == "json" else text(report))
    return EXIT_FAILED if strict and report.problems.counts else EXIT_OK


def with_flags(spec: ImportSpec, flags: dict[str, Any]) -> ImportSpec:
    """Return settings with what the flags say in place of what they said."""
    changes = {name: value for name, value in flags.items() if name in ImportSpec.__struct_fields__ and value}
    changes |= {name: getattr(spec, name) | dict(flags[name]) for name in ("columns", "kinds")}
    if flags["phases"]:
        changes["phases"] = tuple(PhaseSpec(name, start) for name, start in flags["phases"])
    if flags["posts_columns"]:
        own = spec.posts or FileSpec()
        changes["posts"] = msgspec.structs.replace(own, columns=own.columns | dict(flags["posts_columns"]))
    return msgspec.structs.replace(spec, **changes)


def text(report: ImportReport) -> str:
    """Return a report for people."""
    info = report.info
    minutes = (info.end - info.start) / MINUTE_MS
    lines = [
        f"{report.tape}: {info.events} events of {info.people} people, {minutes:.0f} minutes, {info.sha256[:16]}",
        f"{report.ids}: the ids",
        *(f"{path}: {rows} rows read" for path, rows in report.rows.items()),
        "events: " + ", ".join(f"{kind} {count}" for kind, count in report.kinds.items()),
    ]
    if report.put_in:
        lines.append("put in among them: " + ", ".join(f"{kind} {count}" for kind, count in report.put_in.items()))
    lines.append(f"still in a room at the end: {report.inside_at_end}")
    lines += [f"problem: {line}" for line in report.problems.lines()] or ["no problems"]
    return "\n".join(lines)
