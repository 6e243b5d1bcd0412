"""``joinstorm facts``: what is known of the night, beside what a tape shows."""

from collections.abc import Callable

import click
import msgspec

from joinstorm.facts import MEASURES, FactRow, facts_of
from joinstorm.options import scale, seed
from joinstorm.recording import tape_of
from streams.errors import EXIT_FAILED, EXIT_OK

_MARKS = {True: "ok", False: "NO", None: ""}


def as_json(rows: list[FactRow], title: str) -> str:  # noqa: ARG001 - the rows say it all
    """Return the rows by name."""
    told = [{**msgspec.to_builtins(row.fact), "value": row.value, "holds": row.holds} for row in rows]
    return msgspec.json.encode(told).decode()


def text(rows: list[FactRow], title: str) -> str:
    """Return the table for people."""
    lines = [title, f"{'row':>3}  {'source':<7}  {'accepted':>19}  {'this tape':>12}  {'':2}  fact"]
    for row in rows:
        fact = row.fact
        lines.append(
            f"{fact.row:>3}  {fact.kind:<7}  {accepted(row):>19}  {figure(row.value):>12}  {_MARKS[row.holds]:2}  "
            f"{fact.fact}"
        )
        if fact.measure is not None:
            measured = MEASURES[fact.measure]
            lines.append(f"{'':51}  [{measured.words}; {measured.unit}]")
    return "\n".join(lines)


def markdown(rows: list[FactRow], title: str) -> str:
    """Return the table as it stands in docs/scenarios.md."""
    lines = [f"| # | fact | source | accepted | {title} |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        fact = row.fact
        unit = "" if fact.measure is None else f" {MEASURES[fact.measure].unit}"
        lines.append(f"| {fact.row} | {fact.fact} | {fact.kind} | {accepted(row)} | {figure(row.value)}{unit} |")
    return "\n".join(lines)


def accepted(row: FactRow) -> str:
    """Return the figures a row accepts."""
    low, high = row.fact.low, row.fact.high
    if low is None and high is None:
        return "no figure"
    return figure(low) if low == high else f"{figure(low)} … {figure(high)}"


def figure(value: float | None) -> str:
    """Return a figure for people."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.4g}"


FORMS: dict[str, Callable[[list[FactRow], str], str]] = {"text": text, "json": as_json, "markdown": markdown}


@click.command()
@click.argument("tape", metavar="[TAPE|SCENARIO]", default="launch")
@scale(1.0)
@seed
@click.option("--check", is_flag=True, help="Exit with 1 when a figure lies outside what its row accepts.")
@click.option("--format", "form", type=click.Choice(list(FORMS)), default="text", help="Form of the table.")
def command(tape: str, scale: float, seed: int | None, check: bool, form: str) -> int:
    """Print each row of the table of facts beside the tape's own figure.

    A scenario is recorded first, and the tape thrown away. Counts are given at the real size, whatever the scale; rows
    for which the sources give no figure show the tape's without judging it.
    """
    with tape_of(tape, scale=scale, seed=seed) as opened:
        rows = facts_of(opened)
        title = f"{opened.info.name}, scale {opened.info.scale:g}, seed {opened.info.seed}"
    click.echo(FORMS[form](rows, title))
    return EXIT_FAILED if check and any(row.holds is False for row in rows) else EXIT_OK
