"""``joinstorm drill``: an incident or a decoy, boards alone, and your answer against the truth."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from joinstorm.commands import options
from joinstorm.output import echo
from streams.errors import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    from joinstorm.drill.sitting import Sitting

DEBRIEF = "HTML page written at the end: timeline, alerts, boards."
PASS = "Points below which the exit code is 1."  # noqa: S105 - no password


@click.command()
@click.option("--seed", type=click.IntRange(0), default=None, show_default="a new one", help="Which drill.")
@options.scale(0.05)
@click.option("--debrief", type=options.FILE, default=None, show_default="drill-SEED.html", help=DEBRIEF)
@click.option("--pass", "least", type=click.IntRange(0, 100), default=0, help=PASS)
@options.output_format(text="For a person at a terminal, or for a program: JSON, a line each.")
def command(seed: int | None, scale: float, debrief: Path | None, least: int, form: str) -> int:
    """Find out what is going on in a night.

    A night with an incident or a decoy is drawn from the shipped ones, with a seed and a time of its own. You see its
    boards as of a moment, let it go on as long as you like, and answer: is a page due, what is it,
    where does it hurt, and since when? The score explains each part of the answer; the debrief has the timeline, what
    the alerts said and what the boards showed. The same seed is the same drill.

    With --format json a program is the trainee: it reads the boards from stdout as JSON, and writes {"later": "2m"} or
    {"answer": {"page": true, "what": "outage", "where": "both", "since": "19:20"}} to stdin.
    """
    import random

    from joinstorm.drill.drawing import draw_drill
    from joinstorm.drill.sitting import Sitting

    chosen = random.SystemRandom().randrange(1, 100_000) if seed is None else seed
    sitting = Sitting(draw_drill(chosen, scale))
    if not (_with_program(sitting) if form == "json" else _with_person(sitting)):
        echo(f"joinstorm: left without an answer; --seed {chosen} is the same drill", err=True)
        return EXIT_FAILED
    _debrief(sitting, debrief or Path(f"drill-{chosen}.html"), form)
    assert sitting.score is not None
    return EXIT_OK if sitting.score.points >= least else EXIT_FAILED


def _with_person(sitting: Sitting) -> bool:
    """Go through the drill at the terminal; return whether it was answered."""
    import shutil

    from joinstorm.drill.console import Console, LeftError
    from joinstorm.drill.drilltext import score_text

    def ask(prompt: str) -> str | None:
        echo(prompt, nl=False)
        sys.stdout.flush()
        return sys.stdin.readline() or None

    try:
        Console(sitting, ask, echo, lambda: shutil.get_terminal_size().columns).sit()
    except LeftError:
        return False
    assert sitting.score is not None
    assert sitting.truth is not None
    echo(score_text(sitting.score, sitting.truth, sitting.drill.truths))
    return True


def _with_program(sitting: Sitting) -> bool:
    """Go through the drill with a program on stdin and stdout; return whether it answered."""
    from joinstorm.drill.console import LeftError
    from joinstorm.drill.lineprotocol import converse

    def send(line: str) -> None:
        echo(line)
        sys.stdout.flush()

    try:
        converse(sitting, sys.stdin, send)
    except LeftError:
        return False
    return True


def _debrief(sitting: Sitting, path: Path, form: str) -> None:
    """Write the debrief; without Prometheus it says so in place of the alerts."""
    from joinstorm.drill import debrief
    from streams.errors import EnvironmentMissingError
    from streams.system.wholefile import whole_file

    alerts, left_out = [], ""
    try:
        alerts = debrief.alerts_of(sitting)
    except EnvironmentMissingError as error:
        left_out = f"what the alerts said is left out: {error}"
    with whole_file(path) as part:
        part.write_text(debrief.debrief_page(sitting, alerts, left_out))
    if form != "json":
        for line in [left_out] if left_out else debrief.alert_lines(alerts):
            echo(f"alerts: {line}" if not left_out else line)
    echo(f"debrief: {path}", err=form == "json")
