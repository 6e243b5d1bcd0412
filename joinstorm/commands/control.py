"""``joinstorm control``: the deck of a replay that runs on this machine."""

import json
from typing import Any

import click

from joinstorm.terminal.progressbar import describe
from producers.replay.control import ControlClient
from producers.replay.deck import DeckState


class _Found:
    """Looks for the replay when a subcommand needs it, so that ``--help`` needs none."""

    def __init__(self, url: str | None, run: str | None, form: str) -> None:
        self.url = url
        self.run = run
        self.form = form

    @property
    def client(self) -> ControlClient:
        """A client of the replay asked for."""
        return ControlClient(self.url) if self.url else ControlClient.find(run=self.run)

    def show(self, state: dict[str, Any]) -> None:
        """Print a state."""
        if self.form == "json":
            click.echo(json.dumps(state))
            return
        known = DeckState(**state)
        click.echo(
            f"{describe(known)}, {known.sent:,} of {known.events:,} sent, {known.on_time_ratio:.2%} on time"
            + (f", run {known.rounds} of this replay" if known.rounds > 1 else "")
        )


@click.group()
@click.option("--url", default=None, metavar="URL", help="Address of the deck, as the replay logs it.")
@click.option("--run", default=None, metavar="ID", help="The replay of this run; the one started last if not given.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the answer.")
@click.pass_context
def command(context: click.Context, url: str | None, run: str | None, form: str) -> None:
    """Pause, move and speed up a replay that runs on this machine."""
    context.obj = _Found(url, run, form)


@command.command()
@click.pass_obj
def state(found: _Found) -> None:
    """Show where it is."""
    found.show(found.client.state())


@command.command()
@click.pass_obj
def pause(found: _Found) -> None:
    """Stand still; nothing is lost or repeated."""
    found.show(found.client.pause())


@command.command()
@click.pass_obj
def resume(found: _Found) -> None:
    """Go on."""
    found.show(found.client.resume())


@command.command()
@click.pass_obj
def stop(found: _Found) -> None:
    """End the replay; its run stays unfinished."""
    found.show(found.client.stop())


@command.command()
@click.argument("value", metavar="N|max")
@click.pass_obj
def speed(found: _Found, value: str) -> None:
    """Change the speed: event seconds per second."""
    found.show(found.client.set_speed(value))


@command.command()
@click.argument("length", default="5s")
@click.pass_obj
def step(found: _Found, length: str) -> None:
    """Play LENGTH of event time (5s, 1m) at once and stand still."""
    found.show(found.client.step(length))


@command.command()
@click.argument("moment")
@click.pass_obj
def jump(found: _Found, moment: str) -> None:
    """Be at MOMENT: a phase (melting), talk+10m, a time, +5m from here.

    Forwards, what lies between is sent at full speed; backwards begins a new run. For +5m and -5m write -- before it.
    """
    found.show(found.client.jump(moment))
