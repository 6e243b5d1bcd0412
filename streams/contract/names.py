"""Names used in records, and units of event time, shared by several packages."""

from enum import StrEnum
from typing import Final

MINUTE_MS: Final = 60_000
"""One minute of event time; rates are per minute."""
TRUTH: Final = "truth"
"""The engine name of the oracle's answers in the result topics."""
ALL: Final = "*"
"""The space or subject name of a count over all spaces or all subjects."""
LAUNCH: Final = "launch"
ANNOUNCEMENT: Final = "announcement"
OTHER: Final = "other"
"""The subject of a tweet that matches no rule of ``run.info``."""
SUBJECTS: Final = (LAUNCH, ANNOUNCEMENT, OTHER)
"""The subjects of the shipped nights; an imported night defines its own in ``run.info``."""


class PhaseName(StrEnum):
    """The phases of a simulated night, in order; ``run.info`` omits those that did not occur."""

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


class IncidentName(StrEnum):
    """The phases of the incidents in the shipped nights; those of your own scenarios may have other names."""

    CAPACITY_LOST = "capacity_lost"
    OUTAGE = "outage"
    APP_OUTAGE = "app_outage"
    BAD_DEPLOY = "bad_deploy"
    ROUTINE_DEPLOY = "routine_deploy"
    AUTOSCALING = "autoscaling"
    LOGIN_OUTAGE = "login_outage"
    SLOW_ANSWERS = "slow_answers"
    CROWD_PEAK = "crowd_peak"
    EXODUS = "exodus"

    @property
    def after(self) -> str:
        """The phase after the incident, until the evening's next one."""
        return f"{AFTER_INCIDENT}{self}"


AFTER_INCIDENT: Final = "after_"
SHIPPED_PHASES: Final = (*map(str, PhaseName), *map(str, IncidentName), *(one.after for one in IncidentName))
"""Every phase that a shipped night can have."""
