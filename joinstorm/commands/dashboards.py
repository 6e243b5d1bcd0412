"""``joinstorm dashboards``: make the boards, check them, bring them into a Grafana."""

import contextlib
import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path

import click

from dashboards import stored
from dashboards.grafana import Grafana, Login
from dashboards.publish import DATA_SOURCE_UID, FOLDER_TITLE, BoardChange, PhaseMark, Publication, publish
from joinstorm.boardproof.findings import ProofReport
from producers.tape.tapefile import Tape
from streams.errors import EXIT_FAILED, EXIT_OK, EnvironmentMissingError

_MAX_DIFF = 40


@click.group(name="dashboards")
def command() -> None:
    """Grafana boards and Prometheus rules: build, check, publish."""


@command.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=stored.HERE,
    show_default="the package's own folder",
    help="Folder for generated/*.json and rules/joinstorm.yaml.",
)
def build(out: Path) -> None:
    """Write the boards' JSON and the rules' YAML from their code, and docs/boards.md in a source checkout."""
    with _extra():
        from dashboards import docs  # noqa: PLC0415 - needs the extra [dashboards]
        from dashboards.build import files, write  # noqa: PLC0415 - needs the extra [dashboards]
    changed = [str(out / name) for name in write(out, files())]
    root = stored.HERE.parent
    if out == stored.HERE and (root / docs.PATH).parent.is_dir():
        changed += [str(root / name) for name in write(root, {docs.PATH: docs.text()})]
    for name in changed:
        click.echo(f"wrote {name}")
    if not changed:
        click.echo("nothing to do: every file is as the code makes it")


@command.command()
@click.option("--mutate", is_flag=True, help="Also alter every query and rule, one place at a time, and count.")
@click.option(
    "--tape",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The night to prove them on (launch at scale 0.01 if not given).",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def check(tape: Path | None, form: str, *, mutate: bool) -> int:
    """Prove the boards and rules: files, linter's rules, promtool's tests, every query against the oracle.

    Needs prometheus and promtool. Exit code 1 when anything is wrong or an alteration goes unnoticed.
    """
    with _extra():
        from joinstorm.boardproof.wholeproof import prove  # noqa: PLC0415 - needs the extra [dashboards]
    report = prove(tape, mutate=mutate, notify=lambda text: click.echo(f"{text} …", err=True))
    click.echo(json.dumps(dataclasses.asdict(report), indent=2) if form == "json" else _report_text(report))
    return EXIT_OK if report.passed else EXIT_FAILED


def _report_text(report: ProofReport) -> str:
    """Return a line per part, what is wrong below it."""
    parts = [
        ("generated files as the code makes them", report.stale),
        ("linter's rules", report.findings),
        ("every metric on a board", report.unshown),
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


@contextlib.contextmanager
def _extra() -> Iterator[None]:
    """Say how to get what only building and checking the boards needs."""
    try:
        yield
    except ModuleNotFoundError as missing:
        raise EnvironmentMissingError(f"{missing.name} is not installed; pip install 'joinstorm[dashboards]'") from None


@command.command(name="publish")
@click.option("--url", default="http://127.0.0.1:3000", envvar="JOINSTORM_GRAFANA_URL", help="Grafana's start page.")
@click.option(
    "--prometheus-url",
    default="http://127.0.0.1:9090",
    help="Where Grafana reaches Prometheus: the data source is made for it. Empty: data sources are left alone.",
)
@click.option("--data-source", default=DATA_SOURCE_UID, help="Uid of the data source the boards start with.")
@click.option("--folder", default=FOLDER_TITLE, help="Title of the folder.")
@click.option("--scrape-interval", default="1s", help="How often that Prometheus scrapes.")
@click.option(
    "--tape",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Also write this tape's phases, at their real dates, as annotations.",
)
@click.option("--force", is_flag=True, help="Write over what somebody changed by hand.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def publish_boards(url: str, tape: Path | None, form: str, *, force: bool, dry_run: bool, **wanted: str) -> int:
    """Bring folder, data source, boards and phases into a Grafana.

    The login comes from the environment: JOINSTORM_GRAFANA_TOKEN, or JOINSTORM_GRAFANA_USER and
    JOINSTORM_GRAFANA_PASSWORD. What somebody changed by hand is shown and kept; exit code 1 says that something was.
    """
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
    click.echo(_as_json(changes) if form == "json" else _as_text(changes, dry_run=dry_run))
    return EXIT_FAILED if any(change.kind == "kept" for change in changes) else EXIT_OK


def _phases(tape: Path | None) -> tuple[PhaseMark, ...]:
    if tape is None:
        return ()
    info = Tape.open(tape).info
    ends = [*(phase.start for phase in info.phases[1:]), info.end]
    return tuple(PhaseMark(phase.name, phase.start, end) for phase, end in zip(info.phases, ends, strict=True))


def _as_json(changes: list[BoardChange]) -> str:
    return json.dumps([{"kind": one.kind, "what": one.what, "diff": one.diff} for one in changes], indent=2)


def _as_text(changes: list[BoardChange], *, dry_run: bool) -> str:
    """Return a line per thing, the difference below what was changed or kept, and what to do about hand work."""
    lines = ["nothing was written (--dry-run)"] if dry_run else []
    for change in changes:
        lines.append(f"{change.kind:<9} {change.what}")
        diff = change.diff.splitlines()
        lines += [f"    {line}" for line in diff[:_MAX_DIFF]]
        if len(diff) > _MAX_DIFF:
            lines.append(f"    … and {len(diff) - _MAX_DIFF} more lines; --format json has them all")
    if any(change.kind == "kept" for change in changes):
        lines.append("kept: changed by hand in Grafana; --force writes over it")
    return "\n".join(lines)
