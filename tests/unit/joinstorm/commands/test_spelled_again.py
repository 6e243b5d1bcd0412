"""What commands spell again so that --help loads no room: it equals what the rooms know."""

from typing import Any

import click
import pytest

from dashboards import publish
from joinstorm.cli import load
from joinstorm.commands import compare, conform, dashboards, events, facts, options, replay
from joinstorm.compare.tournament import CompareRequest
from joinstorm.conformance.points import POINTS
from joinstorm.facts.factformats import FORMS
from joinstorm.run import captureplaying
from producers.capture import eventtime, targets
from producers.importing.eventfile import FORMATS
from producers.replay.deck import MAX, speed_of
from producers.senders.registry import CLIENTS


def default(command: str, option: str) -> Any:
    """Return the default of a command's option."""
    return next(one.default for one in load(command).params if one.name == option)


@pytest.mark.parametrize(
    ("spelled", "known"),
    [
        (options.CLIENTS, CLIENTS),
        (options.MAX_SPEED, MAX),
        (conform.POINTS, tuple(point.name for point in POINTS)),
        (facts.FORMS, tuple(FORMS)),
        (events.FORMATS, FORMATS),
        (compare.PARTS, CompareRequest.__dataclass_fields__["parts"].default),
        (replay.TIMESTAMPS, captureplaying.TIMESTAMPS),
        (replay.PARTITION_MAPS, targets.MAPS),
        (replay.TIME_FORMATS, eventtime.FORMATS),
        (dashboards.DATA_SOURCE_UID, publish.DATA_SOURCE_UID),
        (dashboards.FOLDER_TITLE, publish.FOLDER_TITLE),
    ],
)
def test_it_equals_what_the_room_knows(spelled: object, known: object) -> None:
    """Names, formats and defaults."""
    assert spelled == known


def test_a_speed_is_a_number_or_max() -> None:
    """Max becomes 0; anything else is refused as the deck refuses it."""
    kind = options.SpeedParam()
    assert [kind.convert(text, None, None) for text in ("60", "0.1", "max")] == [60.0, 0.1, speed_of("max")]
    with pytest.raises(click.BadParameter, match="max"):
        kind.convert("fast", None, None)


def test_names_of_settings_need_a_value() -> None:
    """``--option`` without an equals sign is refused, with the form that is expected."""
    with pytest.raises(click.BadParameter, match="expected KEY=VALUE"):
        load("stream").make_context("stream", ["--option", "rate"])
