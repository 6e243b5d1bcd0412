"""The scenario's sections ``incidents``, what happens to the rooms and the crowd, and ``expect``, the known truth.

An incident changes conditions: capacity, what reaches the rooms, how long answers take, who comes or leaves. What
follows from it (strain, drops, refusals, retries) follows from the simulation alone. docs/scenarios.md has the details.
"""

from typing import Annotated, Final, TypeAlias, get_args

from msgspec import Meta

from producers.scenario.fieldtypes import Minutes, Name, Section, Share
from streams.contract.names import AFTER_INCIDENT, PhaseName

Part = Annotated[float, Meta(gt=0, le=1)]
Lost = Annotated[float, Meta(gt=0, lt=1)]


class _Incident(Section, frozen=True, kw_only=True, tag_field="kind"):
    """What every incident has."""

    at: Annotated[float, Meta(ge=-1440, le=1440)]
    """Minutes after the scheduled start."""
    minutes: Minutes
    phase: Name | None = None
    """The name of its phase; the kind if not given."""

    @property
    def name(self) -> str:
        """The name of its phase."""
        return self.phase or str(self.__struct_config__.tag)

    @property
    def after(self) -> str:
        """The name of the phase after it, unless a phase of the evening begins there."""
        return f"{AFTER_INCIDENT}{self.name}"


class CapacityLost(_Incident, frozen=True, kw_only=True, tag="capacity_lost"):
    """Servers fail, and come back at the end."""

    share: Lost
    """Share of the capacity they had."""
    disconnects: Share = 1.0
    """Share of their listeners who lose the connection; the others are moved without noticing."""


class Outage(_Incident, frozen=True, kw_only=True, tag="outage"):
    """Listeners with one client or in one region are cut off: they lose the connection, and no attempt gets through."""

    client: Name | None = None
    region: Name | None = None
    """One of ``crowd.regions``; either this or ``client``."""
    share: Part = 1.0
    """Share of them who are cut off."""
    within_seconds: Annotated[float, Meta(ge=0, le=600)] = 10.0
    """How long it takes until all have lost the connection."""


class Deploy(_Incident, frozen=True, kw_only=True, tag="deploy"):
    """The servers are restarted with a new version, batch by batch; at the end the old version is back if it held more.

    ``held`` is what a server of the new version holds, as a multiple of the old one's.
    """

    batches: Annotated[int, Meta(ge=2, le=1000)]
    moved: Share
    """Share of a batch's listeners who are moved without noticing; the others lose the connection."""
    held: Annotated[float, Meta(gt=0, le=10)] = 1.0


class Autoscaling(_Incident, frozen=True, kw_only=True, tag="autoscaling"):
    """The capacity follows the load with a delay; it only grows, and is whole again at the end.

    Its phase runs from the first strain to the last: there is none where the capacity comes in time.
    """

    least: Part
    """Share of the capacity at the beginning."""
    target: Part
    """Load the ordered capacity is meant for."""
    delay_minutes: Annotated[float, Meta(ge=0, le=1440)]
    """From the order, once a minute, until the capacity is there."""


class LoginOutage(_Incident, frozen=True, kw_only=True, tag="login_outage"):
    """Attempts fail before they reach the rooms; listeners inside notice nothing."""

    share: Part = 1.0
    """Share of the attempts."""


class SlowAnswers(_Incident, frozen=True, kw_only=True, tag="slow_answers"):
    """Attempts are answered late, weigh more meanwhile, and fail where the client does not wait."""

    answer_seconds: Annotated[float, Meta(gt=0, le=600)]
    """Mean time until an answer, in place of ``server.answer_seconds``."""
    timeout_seconds: Annotated[float, Meta(gt=0, le=600)]
    """How long clients wait for an answer."""
    weight: Annotated[float, Meta(ge=1, le=1000)] = 1.0
    """Factor on ``server.attempt_weight``."""


class CrowdPeak(_Incident, frozen=True, kw_only=True, tag="crowd_peak"):
    """A part of the crowd comes now rather than at its own time."""

    share: Lost
    """Share of the crowd."""


class Exodus(_Incident, frozen=True, kw_only=True, tag="exodus"):
    """Listeners leave of their own accord."""

    share: Part
    """Share of the audience at its beginning."""


Incident: TypeAlias = (
    CapacityLost | Outage | Deploy | Autoscaling | LoginOutage | SlowAnswers | CrowdPeak | Exodus
)  # fmt: skip


KINDS: Final = tuple(str(one.__struct_config__.tag) for one in get_args(Incident))


class ExpectSpec(Section, frozen=True):
    """The known truth of a night: the phases in which an alert on its incidents has to fire, and those it may fire in.

    In all other phases an alert has to be silent.
    """

    fire: tuple[Annotated[tuple[Name, ...], Meta(min_length=1)], ...] = ()
    """Incidents, each a group of phases, in one of which an alert has to fire."""
    may: tuple[Name, ...] = ()


MELTING = ExpectSpec(((PhaseName.MELTING, PhaseName.FIRST_CLOSED, PhaseName.SECOND_ROOM),))
"""What holds where a scenario does not say it: the incident is the melting, until the talk begins."""
