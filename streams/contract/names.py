"""Names that stand in records and units of event time: what more than one package has to spell alike."""

from enum import StrEnum
from typing import Final

MINUTE_MS: Final = 60_000
"""A minute of event time; rates are per minute."""
TRUTH: Final = "truth"
"""The engine name under which the oracle's answers stand in the result topics."""
ALL: Final = "*"
"""The space or subject of a count over all spaces or all subjects."""
LAUNCH: Final = "launch"
ANNOUNCEMENT: Final = "announcement"
OTHER: Final = "other"
"""The subject of a tweet for which no rule of ``run.info`` holds."""
SUBJECTS: Final = (LAUNCH, ANNOUNCEMENT, OTHER)
"""The subjects of the shipped nights; an imported night names its own in ``run.info``."""


class PhaseName(StrEnum):
    """The phases of a simulated night, in order; those that did not come to pass are left out of ``run.info``."""

    OPEN = "open"
    SCHEDULED_START = "scheduled_start"
    MELTING = "melting"
    FIRST_CLOSED = "first_closed"
    SECOND_ROOM = "second_room"
    TALK = "talk"
    END = "end"
    NIGHT = "night"
    THREAD = "thread"
    AFTERMATH = "aftermath"
