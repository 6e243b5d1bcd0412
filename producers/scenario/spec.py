"""The fields of a scenario with the bounds of every value; ``producers.scenario.loading`` loads one.

Sizes and rates are those of scale 1. docs/scenarios.md has the equations.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from producers.scenario.fieldtypes import Minutes, Name, Positive, Section, Share
from producers.scenario.incidentspec import MELTING, ExpectSpec, Incident
from producers.scenario.tweetspec import TweetSpec

Amount = Annotated[float, Meta(ge=0, le=1e9)]
Moment = Annotated[datetime, Meta(tz=True)]
Text = Annotated[str, Meta(min_length=1, max_length=2000)]
Measure: TypeAlias = Literal[
    "scheduled_start_hour",
    "waited_20m",
    "kicked_out",
    "failed_share_melting",
    "passes_382000_minutes",
    "first_room_peak",
    "first_closed_minutes",
    "talk_late_minutes",
    "second_room_speaking",
    "second_room_distinct",
    "talk_minutes",
    "talk_drops_per_listener_hour",
    "mockery_before_talk",
    "thread_hours_later",
    "thread_posts",
    "stances",
    "incident_drops",
    "incident_failed_share",
    "quiet_failed_share",
]
"""What ``joinstorm facts`` can measure on a tape; ``joinstorm.facts.facttable`` defines each."""


MOST_SEEDS = 1 << 53
"""Seeds are below this: every JSON reader keeps them exact."""


class Person(Section, frozen=True):
    """A person of the public record; no event in the streams is theirs."""

    name: Text
    role: Text


class ScheduleSpec(Section, frozen=True):
    """The fixed points of the night."""

    opens: Moment
    """The first room opens: the first moment of the night, on a whole five seconds."""
    scheduled_start: Moment
    thread: Moment | None
    """When the thread of the next day begins; null for none."""
    thread_minutes: Minutes
    """Length of the phase ``thread``; the phase after it is quiet."""
    ends: Moment


class CrowdSpec(Section, frozen=True, kw_only=True):
    """Who comes, when, and how patient they are."""

    listeners: Annotated[int, Meta(ge=1, le=100_000_000)]
    further_authors: Annotated[int, Meta(ge=0, le=100_000_000)]
    """Authors who never try to listen."""
    arrivals: Annotated[tuple[tuple[float, Amount], ...], Meta(min_length=2)]
    """Knots (minutes after the scheduled start, relative rate); linear between them, zero outside them."""
    clients: Annotated[dict[Name, Positive], Meta(min_length=1, max_length=20)]
    """Relative shares of the client programs."""
    regions: Annotated[dict[Name, Positive], Meta(max_length=20)] = msgspec.field(default_factory=dict)
    """Relative shares of the regions the listeners are in; none if no incident asks for them."""
    patience_minutes: Minutes
    """Mean time a listener waits for the talk (exponential)."""
    tolerated_fails: Annotated[float, Meta(gt=0, le=10_000)]
    """Mean number of failed attempts in a row before a listener gives up (geometric)."""
    follow_share: Share
    """Share of the listeners who go to the second room when the first one is closed."""
    follow_minutes: Minutes
    """Mean time until they arrive there."""
    linger_minutes: Minutes
    """Mean time until the others give up."""
    return_share: Share
    """Share of those who leave before the talk that come back later, once."""
    return_minutes: Minutes
    """Mean time until they come back."""
    short_share: Share
    """Share of the listeners who stay only briefly."""
    short_minutes: Minutes
    """Mean time these listen; the end of the talk cuts it."""
    long_minutes: Minutes
    """Mean time the others listen; the end of the talk cuts it."""
    farewell_minutes: Minutes
    """Mean time until those who heard the end leave."""


class ServerSpec(Section, frozen=True):
    """The capacity of the rooms."""

    held: Positive
    """Listeners a room holds without strain."""
    admissions_per_second: Positive
    attempt_weight: Amount
    """One attempt per second loads the room as much as this many listeners in it."""
    limit: Annotated[float, Meta(gt=1, le=100)]
    """Load, as a multiple of the load without strain, at which the strain is full."""
    inertia_seconds: Annotated[float, Meta(gt=0, le=3600)]
    """Time constant with which the strain follows the load: queues fill and drain."""
    refuse_share: Share
    """Share of the attempts that fail under full strain."""
    drops_per_minute: Annotated[float, Meta(ge=0, le=60)]
    """How often a listener is dropped under full strain."""
    losses_per_hour: Annotated[float, Meta(ge=0, le=60)]
    """How often a listener's connection breaks, strain or no strain."""
    answer_seconds: Annotated[float, Meta(gt=0, le=60)]
    """Mean time until an attempt is answered without strain."""
    strained_answer_seconds: Annotated[float, Meta(ge=0, le=60)]
    """What full strain adds to it."""


class RetrySpec(Section, frozen=True):
    """When a client retries by itself."""

    policy: Literal["fixed", "exponential", "full-jitter", "none"]
    after_drop_seconds: Annotated[float, Meta(gt=0, le=3600)]
    base_seconds: Annotated[float, Meta(gt=0, le=3600)]
    """After the first failed attempt; ``fixed``: after each one."""
    cap_seconds: Annotated[float, Meta(gt=0, le=3600)]
    """The longest wait of the growing policies."""


class HostsSpec(Section, frozen=True):
    """When the hosts begin the talk, and when they close a room."""

    close_after_minutes: Minutes
    """From this long after the scheduled start on, a room that has melted for a minute is closed."""
    closing_seconds: Annotated[float, Meta(gt=0, le=600)]
    """How long it takes to disconnect its listeners."""
    reopen_after_minutes: Minutes
    settle_minutes: Minutes
    """The talk begins once the room has been calm this long, counted from the scheduled start at the earliest."""
    calm_below: Annotated[float, Meta(gt=0, le=1)]
    """Strain below which a room is calm."""
    latest_start_minutes: Minutes
    """The talk begins this long after the scheduled start, calm or not."""
    talk_minutes: Minutes
    end_minutes: Minutes
    """Length of the phase ``end``; the phase after it, ``night``, is quiet."""


class Fact(Section, frozen=True):
    """A row of the table of facts (docs/scenarios.md), and the range a tape must land in."""

    row: Annotated[int, Meta(ge=1, le=99)]
    kind: Literal["stated", "press", "assumed"]
    """``stated``: in the two news texts this project is based on; ``press``: in others; ``assumed``: by us."""
    fact: Text
    measure: Measure | None = None
    """What is measured on the tape; null if the sources give nothing measurable."""
    low: float | None = None
    high: float | None = None
    """The accepted range, both ends included; null if the sources give no figure."""


class Scenario(Section, frozen=True, kw_only=True):
    """A night to simulate, with every value filled in."""

    name: Name
    title: Text
    seed: Annotated[int, Meta(ge=0, lt=MOST_SEEDS)] = 0
    """The default seed; another seed gives another night of the same kind."""
    size: Annotated[float, Meta(gt=0, le=1000)] = 1.0
    """Multiplies the crowd, the tweets and the capacity of the rooms, as ``--scale`` does."""
    people: tuple[Person, ...] = ()
    schedule: ScheduleSpec
    crowd: CrowdSpec
    server: ServerSpec
    retry: RetrySpec
    hosts: HostsSpec
    incidents: tuple[Incident, ...] = ()
    """In order of time, one after the other."""
    expect: ExpectSpec | None = None
    """The known truth; see ``expected``."""
    tweets: TweetSpec = TweetSpec()
    facts: tuple[Fact, ...] = ()

    @property
    def expected(self) -> ExpectSpec:
        """The phases in which an alert has to fire and may fire: as given, or the melting's."""
        return MELTING if self.expect is None else self.expect

    def as_builtins(self) -> dict[str, Any]:
        """Return it as plain values, as a tape keeps it.

        Without the fields about incidents where they are empty: a night without incidents has the tape it had before
        there were such fields.
        """
        values: dict[str, Any] = msgspec.to_builtins(self)
        for section, name in ((values, "incidents"), (values, "expect"), (values["crowd"], "regions")):
            if not section[name]:
                del section[name]
        return values
