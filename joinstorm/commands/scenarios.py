"""``joinstorm scenarios``: which nights there are, what one says, whether one of your own holds."""

from datetime import datetime

import click
import msgspec
import yaml

from producers.scenario import loading as scenarios
from producers.scenario.spec import Scenario


@click.group()
def command() -> None:
    """List, show and check scenarios."""


@command.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the list.")
def list_(form: str) -> None:
    """List the shipped scenarios."""
    loaded = [scenarios.load(name) for name in scenarios.names()]
    if form == "json":
        rows = [{"name": one.name, "title": one.title, "listeners": listeners(one)} for one in loaded]
        click.echo(msgspec.json.encode(rows).decode())
        return
    width = max(len(one.name) for one in loaded)
    for one in loaded:
        click.echo(f"{one.name:<{width}}  {listeners(one):>9,} listeners  {one.title}")


@command.command()
@click.argument("scenario")
@click.option("--resolved", is_flag=True, help="Every value spelled out, what it extends included; without comments.")
@click.option("--format", "form", type=click.Choice(["yaml", "json"]), default="yaml", help="Form of --resolved.")
def show(scenario: str, resolved: bool, form: str) -> None:
    """Show a scenario as it is written, or as it is played."""
    loaded = scenarios.load(scenario)
    if form == "json":
        click.echo(msgspec.json.encode(loaded).decode())
    elif resolved:
        click.echo(yaml.safe_dump(plain(loaded), sort_keys=False, allow_unicode=True), nl=False)
    else:
        click.echo(scenarios.source(scenario), nl=False)


@command.command()
@click.argument("scenario")
def validate(scenario: str) -> None:
    """Check a scenario: every field, and whether it can be played."""
    loaded = scenarios.load(scenario)
    click.echo(f"{loaded.name}: valid; {listeners(loaded):,} listeners at scale 1, {len(loaded.facts)} rows of facts")


def listeners(scenario: Scenario) -> int:
    """Return how many come at scale 1."""
    return round(scenario.crowd.listeners * scenario.size)


def plain(scenario: Scenario) -> object:
    """Return a scenario as plain values that YAML can write, moments of time among them."""
    return msgspec.to_builtins(scenario, builtin_types=(datetime,))
