"""``joinstorm scenarios``: list the shipped nights, show one, check your own."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from joinstorm.commands import options
from joinstorm.output import echo
from streams.visible import visible

if TYPE_CHECKING:
    from producers.scenario.spec import Scenario


@click.group()
def command() -> None:
    """List, show and check scenarios."""


@command.command("list")
@options.output_format()
def list_(form: str) -> None:
    """List the shipped scenarios."""
    import msgspec

    from producers.scenario import loading as scenarios

    loaded = [scenarios.load(name) for name in scenarios.names()]
    if form == "json":
        echo(msgspec.json.encode([row(one) for one in loaded]).decode())
        return
    width = max(len(one.name) for one in loaded)
    for one in loaded:
        echo(f"{one.name:<{width}}  {listeners(one):>9,} listeners  {one.title}")


@command.command()
@click.argument("scenario")
@click.option("--resolved", is_flag=True, help="Spell out every value, inherited ones included; without comments.")
@options.output_format("yaml", "json", default="yaml", text="Output format; json implies --resolved.")
def show(scenario: str, resolved: bool, form: str) -> None:
    """Show a scenario, as written or resolved."""
    import msgspec
    import yaml

    from producers.scenario import loading as scenarios

    loaded = scenarios.load(scenario)
    if form == "json":
        echo(msgspec.json.encode(loaded).decode())
    elif resolved:
        text = yaml.safe_dump(plain(loaded), sort_keys=False, allow_unicode=True)
        if visible(text) != text:  # YAML has a spelling of its own
            text = yaml.safe_dump(plain(loaded), sort_keys=False)
        echo(text, nl=False)
    else:
        echo(scenarios.source(scenario), nl=False)


@command.command()
@click.argument("scenario")
def validate(scenario: str) -> None:
    """Check every field of a scenario."""
    from producers.scenario import loading as scenarios

    loaded = scenarios.load(scenario)
    echo(f"{loaded.name}: valid; {listeners(loaded):,} listeners at scale 1, {len(loaded.facts)} rows of facts")


def row(scenario: Scenario) -> dict[str, object]:
    """Return what the list has of a scenario: the phases of its incidents, and those alerts have to answer to."""
    return {
        "name": scenario.name,
        "title": scenario.title,
        "listeners": listeners(scenario),
        "incidents": [one.name for one in scenario.incidents],
        "expect": scenario.expected,
    }


def listeners(scenario: Scenario) -> int:
    """Return the number of listeners at scale 1."""
    return round(scenario.crowd.listeners * scenario.size)


def plain(scenario: Scenario) -> object:
    """Return a scenario as plain values that YAML can write, times among them."""
    import msgspec

    return msgspec.to_builtins(scenario, builtin_types=(datetime,))
