"""The table of facts as text, JSON and Markdown."""

from collections.abc import Callable, Sequence

import msgspec

from joinstorm.facts.facttable import MEASURES, FactRow

_MARKS = {True: "ok", False: "NO", None: ""}


def as_json(rows: list[FactRow], title: str) -> str:  # noqa: ARG001 - the rows need no title
    """Return the rows as JSON; ``known_of`` names the night of the facts where the tape is a what-if of it."""
    named = [
        {**msgspec.to_builtins(row.fact), "value": row.value, "holds": row.holds, "known_of": row.night or None}
        for row in rows
    ]
    return msgspec.json.encode(named).decode()


def text(rows: list[FactRow], title: str) -> str:
    """Return the table as text."""
    lines = [title, *what_if(rows)]
    lines.append(f"{'row':>3}  {'source':<7}  {known_as(rows):>19}  {'this tape':>12}  {'':2}  fact")
    for row in rows:
        fact = row.fact
        lines.append(
            f"{fact.row:>3}  {fact.kind:<7}  {accepted(row):>19}  {figure(row.value):>12}  {_MARKS[row.holds]:2}  "
            f"{fact.fact}"
        )
        if fact.measure is not None:
            measured = MEASURES[fact.measure]
            lines.append(f"{'':51}  [{measured.label}; {measured.unit}]")
    return "\n".join(lines)


def markdown(rows: list[FactRow], title: str) -> str:
    """Return the table in the form of docs/scenarios.md."""
    lines = [f"| # | fact | source | {known_as(rows)} | {title} |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        fact = row.fact
        unit = "" if fact.measure is None else f" {MEASURES[fact.measure].unit}"
        lines.append(f"| {fact.row} | {fact.fact} | {fact.kind} | {accepted(row)} | {figure(row.value)}{unit} |")
    return "\n".join(lines)


def known_as(rows: Sequence[FactRow]) -> str:
    """Return the heading of what the sources say: accepted figures, or those of another night."""
    return next((f"known of {row.night}" for row in rows if row.night), "accepted")


def what_if(rows: Sequence[FactRow]) -> list[str]:
    """Return what a reader has to know of a what-if; nothing where the tape is of the known night."""
    night = next((row.night for row in rows if row.night), "")
    return [f"A what-if: its figures stand beside what is known of {night}, and are not judged."] if night else []


def accepted(row: FactRow) -> str:
    """Return the figures a row accepts."""
    low, high = row.fact.low, row.fact.high
    if low is None and high is None:
        return "no figure"
    return figure(low) if low == high else f"{figure(low)} … {figure(high)}"


def figure(value: float | None) -> str:
    """Return a figure as text."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.4g}"


FORMS: dict[str, Callable[[list[FactRow], str], str]] = {"text": text, "json": as_json, "markdown": markdown}
