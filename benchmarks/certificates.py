"""The certificates of engines as one table: a row for each point, a column for each engine.

    joinstorm conform ENGINE --point NAME … --format json > ENGINE-1.json
    python -m benchmarks.certificates *.json                           # print it
    python -m benchmarks.certificates *.json --write docs/engines.md   # and put it between its markers there

An engine's points may be spread over several certificates; of a point that was played twice the newer play counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import click
import msgspec

from benchmarks.measuredsection import publish
from joinstorm.commands.conform import POINTS
from joinstorm.conformance.certificate import Certificate, PointOutcome

SECTION: Final = "certificates"
NOT_PLAYED: Final = "not played"
Table: TypeAlias = Mapping[str, Mapping[str, PointOutcome]]
"""Outcomes by engine and point."""


def merged(certificates: Iterable[Certificate]) -> Table:
    """Return the newest outcome of every point of every engine, in the order in which the engines come."""
    given = list(certificates)
    found: dict[str, dict[str, PointOutcome]] = {one.engine: {} for one in given}
    for one in sorted(given, key=lambda one: one.made):
        found[one.engine].update({outcome.point: outcome for outcome in one.outcomes if outcome.status != "not tried"})
    return found


def markdown(table: Table, points: Sequence[str] = POINTS) -> str:
    """Return the table, with one line below it that counts the exact points of each engine."""
    lines = [f"| point | {' | '.join(f'`{engine}`' for engine in table)} |", "| --- " * (1 + len(table)) + "|"]
    for point in points:
        cells = [_cell(outcomes.get(point)) for outcomes in table.values()]
        lines.append(f"| `{point}` | {' | '.join(cells)} |")
    lines.append(f"| exact of played | {' | '.join(_sum(outcomes.values()) for outcomes in table.values())} |")
    return "\n".join(lines)


def _cell(outcome: PointOutcome | None) -> str:
    """Return ``exact``, or what it is instead, and the seconds it took."""
    if outcome is None:
        return NOT_PLAYED
    if outcome.status == "unsupported":
        return outcome.status
    word = outcome.status if outcome.status == "exact" else f"**{outcome.status}**"
    return f"{word} {outcome.seconds:.1f} s"


def _sum(outcomes: Iterable[PointOutcome]) -> str:
    played = [outcome for outcome in outcomes if outcome.status != "unsupported"]
    return f"{sum(outcome.status == 'exact' for outcome in played)} of {len(played)}"


@click.command(help=__doc__)
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--write", type=click.Path(exists=True, path_type=Path), help="The page that holds the table.")
def main(files: tuple[Path, ...], write: Path | None) -> None:
    """Print the table of some certificates, and write it into a page."""
    certificates = [msgspec.json.decode(file.read_bytes(), type=Certificate) for file in files]
    publish(SECTION, markdown(merged(certificates)), write)


if __name__ == "__main__":
    main()
