"""``joinstorm dashboards``: build, check, draw and publish the boards."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboards import stored
from joinstorm.commands import options
from joinstorm.output import echo
from streams.errors import EXIT_FAILED, EXIT_OK, EnvironmentMissingError, UsageError

if TYPE_CHECKING:
    from dashboards.publish import BoardChange, PhaseMark
    from joinstorm.boardproof.findings import ProofReport

DATA_SOURCE_UID = "joinstorm-prometheus"
FOLDER_TITLE = "joinstorm"
"""Spelled here, too, so that --help loads no room; a test compares them with ``dashboards.publish``."""
_MAX_DIFF = 40


@click.group(name="dashboards")
def command() -> None:
    """Build, check and publish the boards.

    The boards are Grafana's; with them come recording and alerting rules for Prometheus.
    """


@command.command()
@click.option(
    "--out",
    type=options.FOLDER,
    default=stored.HERE,
    show_default="the package's own folder",
    help="Folder for generated/*.json and rules/joinstorm.yaml.",
)
@click.option("--runbooks", help="Address of docs/runbooks.md for runbook_url; only with --out.")
def build(out: Path, runbooks: str | None) -> None:
    """Write boards and rules from their code.

    In a source checkout this includes docs/boards.md.
    """
    with _extra():
        from dashboards import docs
        from dashboards.build import files, write
    if runbooks and out == stored.HERE:
        raise UsageError("--runbooks changes the generated files: name a folder of your own with --out")
    changed = [str(out / name) for name in write(out, files(runbooks) if runbooks else files())]
    root = stored.HERE.parent
    if out == stored.HERE and (root / docs.PATH).parent.is_dir():
        changed += [str(root / name) for name in write(root, {docs.PATH: docs.text()})]
    for name in changed:
        echo(f"wrote {name}")
    if not changed:
        echo("nothing to do: every file matches its code")


@command.command()
@click.option("--mutate", is_flag=True, help="Also plant one bug at a time in every query and rule.")
@options.tape("Tape to check the boards on.", exists=True, shown="launch at scale 0.01")
@options.output_format()
def check(tape: Path | None, form: str, *, mutate: bool) -> int:
    """Check boards and rules against the oracle.

    The check covers the generated files, the linter's rules, promtool's tests, and every query at every moment. It
    needs prometheus and promtool. Exit code 1 when anything is wrong or a planted bug goes unnoticed.
    """
    with _extra():
        from joinstorm.boardproof.wholeproof import prove
    report = prove(tape, mutate=mutate, notify=lambda text: echo(f"{text} …", err=True))
    echo(json.dumps(dataclasses.asdict(report), indent=2) if form == "json" else _report_text(report))
    return EXIT_OK if report.passed else EXIT_FAILED


def _report_text(report: ProofReport) -> str:
    """Return a line per part, and its findings below it."""
    parts = [
        ("generated files match their code", report.stale),
        ("linter's rules", report.findings),
        ("every metric is on a board", report.unshown),
        ("rules and their promtool tests", [report.rules] if report.rules else []),
        (f"{report.queries} queries equal to the oracle at every moment", report.mismatches),
    ]
    for name, altered in (("queries", report.query_mutants), ("rules", report.rule_mutants)):
        if altered is not None:
            share = f"{altered.tried} alterations of {name}, {altered.found:.1%} found"
            parts.append((share, altered.survivors))
    lines = []
    for name, wrong in parts:
        lines.append(f"{'wrong' if wrong else 'ok':<6} {name}")
        lines += [f"       {line}" for line in wrong]
    return "\n".join(lines)


@command.command()
@click.option("--out", type=options.FOLDER, required=True, help="Folder for the pictures.")
@options.tape("Tape of the night to draw.", exists=True, shown="launch at scale 0.01")
@click.option("--only", default="", help="Draw only pictures with this text in their names.")
def render(out: Path, tape: Path | None, only: str) -> int:
    """Draw every board with Grafana's libraries.

    Each is drawn before, during and after a run, dark and light, at two widths. The command needs prometheus, promtool,
    node, npm and Chromium. Exit code 1 when a panel throws, is empty without saying why, or has text too small to read.
    """
    with _extra():
        from joinstorm.boardproof.rendering import render as draw
    found = draw(out, os.environ, tape=tape, only=only, notify=lambda text: echo(f"{text} …", err=True))
    wrong = [f"{picture}: {text}" for picture, texts in found.items() for text in texts]
    echo("\n".join([*wrong, f"{len(found)} pictures in {out}, {len(wrong)} findings"]))
    return EXIT_FAILED if wrong else EXIT_OK


@contextlib.contextmanager
def _extra() -> Iterator[None]:
    """Turn a missing library of the extra [dashboards] into the line that installs it."""
    try:
        yield
    except ModuleNotFoundError as missing:
        raise EnvironmentMissingError(f"{missing.name} is not installed; pip install 'joinstorm[dashboards]'") from None


@command.command(name="publish")
@click.option("--url", default="http://127.0.0.1:3000", envvar="JOINSTORM_GRAFANA_URL", help="Address of Grafana.")
@click.option(
    "--prometheus-url",
    default="http://127.0.0.1:9090",
    help="Prometheus for the data source, as Grafana reaches it; empty: leave data sources alone.",
)
@click.option("--data-source", default=DATA_SOURCE_UID, help="Uid of the boards' data source.")
@click.option("--folder", default=FOLDER_TITLE, help="Title of the boards' folder.")
@click.option("--scrape-interval", default="1s", help="Scrape interval of that Prometheus.")
@options.tape("Tape whose phases become annotations at their real dates.", exists=True)
@click.option("--force", is_flag=True, help="Overwrite changes made by hand.")
@click.option("--dry-run", is_flag=True, help="Report the changes without making them.")
@options.output_format()
def publish_boards(url: str, tape: Path | None, form: str, *, force: bool, dry_run: bool, **wanted: str) -> int:
    """Bring boards and phases into a Grafana.

    Folder and data source are made where they are missing. The login comes from the environment:
    JOINSTORM_GRAFANA_TOKEN, or JOINSTORM_GRAFANA_USER and JOINSTORM_GRAFANA_PASSWORD. Changes made by hand are shown
    and kept; exit code 1 reports that there were some.
    """
    from dashboards.grafana import Grafana, Login
    from dashboards.publish import Publication, publish
    from producers.tape.tapefile import Tape

    publication = Publication(
        boards=stored.boards(),
        prometheus_url=wanted["prometheus_url"],
        data_source=wanted["data_source"],
        folder_title=wanted["folder"],
        scrape_interval=wanted["scrape_interval"],
        phases=_phases(tape),
        tape=Tape.open(tape).info.sha256 if tape else "",
    )
    with Grafana(url, Login.from_env(os.environ)) as grafana:
        changes = publish(grafana, publication, force=force, dry_run=dry_run)
    echo(_as_json(changes) if form == "json" else f"{_as_text(changes, dry_run=dry_run)}\nboard: {_board(url, tape)}")
    return EXIT_FAILED if any(change.kind == "kept" for change in changes) else EXIT_OK


def _board(url: str, tape: Path | None) -> str:
    """Return the address of *The launch*; with a tape's range, if there is one."""
    from dashboards.address import LAUNCH, board_address, first_stretch
    from producers.tape.tapefile import Tape

    if tape is None:
        return f"{url.rstrip('/')}/d/{LAUNCH}"
    info = Tape.open(tape).info
    return board_address(LAUNCH, *first_stretch(info.phases, info.start, info.end), {}, url)


def _phases(tape: Path | None) -> tuple[PhaseMark, ...]:
    from dashboards.publish import PhaseMark
    from producers.tape.tapefile import Tape

    if tape is None:
        return ()
    info = Tape.open(tape).info
    ends = [*(phase.start for phase in info.phases[1:]), info.end]
    return tuple(PhaseMark(phase.name, phase.start, end) for phase, end in zip(info.phases, ends, strict=True))


def _as_json(changes: list[BoardChange]) -> str:
    return json.dumps([{"kind": one.kind, "what": one.what, "diff": one.diff} for one in changes], indent=2)


def _as_text(changes: list[BoardChange], *, dry_run: bool) -> str:
    """Return a line per change, with its difference, and a hint where changes made by hand were kept."""
    lines = ["nothing was written (--dry-run)"] if dry_run else []
    for change in changes:
        lines.append(f"{change.kind:<9} {change.what}")
        diff = change.diff.splitlines()
        lines += [f"    {line}" for line in diff[:_MAX_DIFF]]
        if len(diff) > _MAX_DIFF:
            lines.append(f"    … and {len(diff) - _MAX_DIFF} more lines; --format json has them all")
    if any(change.kind == "kept" for change in changes):
        lines.append("kept: changed by hand in Grafana; --force overwrites it")
    return "\n".join(lines)
