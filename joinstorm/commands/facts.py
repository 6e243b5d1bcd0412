"""``joinstorm facts``: what is known of the night, beside what a tape shows."""

import click

from joinstorm.commands.options import scale, seed
from joinstorm.facts.factformats import FORMS
from joinstorm.facts.facttable import facts_of
from joinstorm.terminal.recordingbar import tape_of
from streams.errors import EXIT_FAILED, EXIT_OK


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
