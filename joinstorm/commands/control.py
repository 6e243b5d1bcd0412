"""``joinstorm control``: the deck of a replay that runs on this machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from joinstorm.commands import options
from joinstorm.output import echo

if TYPE_CHECKING:
    from producers.replay.control import ControlClient


class _Deck:
    """Finds the replay when a subcommand needs it, so that ``--help`` needs none."""

    def __init__(self, url: str | None, run: str | None, form: str) -> None:
        self.url = url
        self.run = run
        self.form = form

    @property
    def client(self) -> ControlClient:
        """A client of the requested replay."""
        from producers.replay.control import ControlClient

        return ControlClient(self.url) if self.url else ControlClient.find(run=self.run)

    def show(self, state: dict[str, Any]) -> None:
        """Print a state."""
        if self.form == "json":
            echo(json.dumps(state))
            return
        from joinstorm.terminal.progressbar import describe
        from producers.replay.deck import DeckState

        known = DeckState(**state)
        echo(
            f"{describe(known)}, {known.sent:,} of {known.events:,} sent, {known.on_time_ratio:.2%} on time"
            + (f", run {known.rounds} of this replay" if known.rounds > 1 else "")
        )


@click.group()
@click.option("--url", default=None, metavar="URL", help="Address of the deck, as the replay logs it.")
@click.option("--run", default=None, show_default="the newest", metavar="ID", help="Run of the replay.")
@options.output_format()
@click.pass_context
def command(context: click.Context, url: str | None, run: str | None, form: str) -> None:
    """Control a replay on this machine.

    The subcommands pause, step, move and end it, and change its speed.
    """
    context.obj = _Deck(url, run, form)


@command.command()
@click.pass_obj
def state(deck: _Deck) -> None:
    """Show where the replay is."""
    deck.show(deck.client.state())


@command.command()
@click.pass_obj
def pause(deck: _Deck) -> None:
    """Pause; no event is lost or repeated."""
    deck.show(deck.client.pause())


@command.command()
@click.pass_obj
def resume(deck: _Deck) -> None:
    """Resume after a pause."""
    deck.show(deck.client.resume())


@command.command()
@click.pass_obj
def stop(deck: _Deck) -> None:
    """End the replay; its run stays incomplete."""
    deck.show(deck.client.stop())


@command.command()
@click.argument("value", metavar="N|max")
@click.pass_obj
def speed(deck: _Deck, value: str) -> None:
    """Set the speed in event seconds per second."""
    deck.show(deck.client.set_speed(value))


@command.command()
@click.argument("length", default="5s")
@click.pass_obj
def step(deck: _Deck, length: str) -> None:
    """Play LENGTH of event time, then pause.

    LENGTH is a duration such as 5s or 1m; it is played at full speed.
    """
    deck.show(deck.client.step(length))


@command.command()
@click.argument("moment")
@click.pass_obj
def jump(deck: _Deck, moment: str) -> None:
    """Go to a moment of the night.

    MOMENT is a phase (melting), an offset to one (talk+10m), a time, or an offset to the current moment (+5m). Going
    forwards sends everything in between at full speed; going backwards begins a new run. Write -- before -5m.
    """
    deck.show(deck.client.jump(moment))
