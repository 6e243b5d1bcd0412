"""``joinstorm facts``: what is known of the night, and what a tape shows."""

import click

from joinstorm.commands import options
from joinstorm.output import echo
from streams.errors import EXIT_FAILED, EXIT_OK

FORMS = ("text", "json", "markdown")
"""Spelled here, too, so that --help loads no room; a test compares them with ``joinstorm.facts.factformats``."""


@click.command()
@click.argument("tape", metavar="[TAPE|SCENARIO]", default="launch")
@options.scale(1.0)
@options.seed()
@click.option("--check", is_flag=True, help="Exit with 1 when a figure is outside the range of its fact.")
@options.output_format(*FORMS)
def command(tape: str, scale: float, seed: int | None, check: bool, form: str) -> int:
    """Compare a tape with the known facts.

    The table has a row per fact with the tape's own figure. A scenario is recorded first, on a temporary tape. Counts
    are scaled to the real size; rows without a figure in the sources show the tape's without judging it.
    """
    from joinstorm.facts import factformats
    from joinstorm.facts.facttable import facts_of
    from joinstorm.terminal.recordingbar import tape_of

    with tape_of(tape, scale=scale, seed=seed) as opened:
        rows = facts_of(opened)
        title = f"{opened.info.name}, scale {opened.info.scale:g}, seed {opened.info.seed}"
    echo(factformats.FORMS[form](rows, title))
    return EXIT_FAILED if check and any(row.holds is False for row in rows) else EXIT_OK
