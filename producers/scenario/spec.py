"""What a scenario may say, field by field, with the bounds of every value; ``producers.scenario.loading`` loads one.

Sizes and rates are those of scale 1. Every field's comment says what it does; docs/scenarios.md has the equations.
"""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from producers.scenario.tweetspec import TweetSpec

Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(gt=0, le=1e9)]
Amount = Annotated[float, Meta(ge=0, le=1e9)]
Minutes = Annotated[float, Meta(gt=0, le=1440)]
Moment = Annotated[datetime, Meta(tz=True)]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
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
]
"""What ``joinstorm facts`` can read off a tape; ``joinstorm.facts.facttable`` defines each."""


MOST_SEEDS = 1 << 53
"""Seeds are below what every JSON reader takes as a whole number."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a scenario: what it does not know, it refuses."""


class Person(_Part, frozen=True):
    """Somebody the public record names; nothing in the streams speaks for them."""

    name: Text
    role: Text


class ScheduleSpec(_Part, frozen=True):
    """The fixed points of the night."""

    opens: Moment
    """The first room opens: the first moment of the night, on a whole five seconds."""
    scheduled_start: Moment
    thread: Moment | None
    """When the thread of the next day begins; null where there is none."""
    thread_minutes: Minutes
    """How long the reaction to it is worth watching; what follows counts as quiet."""
    ends: Moment


class CrowdSpec(_Part, frozen=True):
    """Who comes, when, and how they take it."""

    listeners: Annotated[int, Meta(ge=1, le=100_000_000)]
    further_authors: Annotated[int, Meta(ge=0, le=100_000_000)]
    """People who write and never come to listen."""
    arrivals: Annotated[tuple[tuple[float, Amount], ...], Meta(min_length=2)]
    """Knots (minutes after the scheduled start, relative rate); linear between them, nobody outside them."""
    clients: Annotated[dict[Name, Positive], Meta(min_length=1, max_length=20)]
    """Relative shares of the client programs."""
    patience_minutes: Minutes
    """Mean time somebody is willing to wait for the talk (exponential)."""
    tolerated_fails: Annotated[float, Meta(gt=0, le=10_000)]
    """Mean number of failed attempts in a row before somebody gives up (geometric)."""
    follow_share: Share
    """Who follows into the second room when the first one is closed."""
    follow_minutes: Minutes
    """Mean time until they have found it."""
    linger_minutes: Minutes
    """Mean time until the others have given up."""
    return_share: Share
    """Who of those that left before the end comes back during the talk."""
    return_minutes: Minutes
    """Mean time until they do."""
    short_share: Share
    """Who only drops in on the talk."""
    short_minutes: Minutes
    long_minutes: Minutes
    """Mean times that those and the others listen to the talk, as long as it goes on."""
    farewell_minutes: Minutes
    """Mean time until those who heard the end have left."""


class ServerSpec(_Part, frozen=True):
    """What the rooms can carry."""

    held: Positive
    """Listeners carried without strain."""
    admissions_per_second: Positive
    attempt_weight: Amount
    """One attempt a second presses on the room as much as this many listeners in it."""
    limit: Annotated[float, Meta(gt=1, le=100)]
    """Load, as a multiple of what is carried without strain, at which the strain is full."""
    inertia_seconds: Annotated[float, Meta(gt=0, le=3600)]
    """Time constant with which the strain follows the load: queues fill and drain."""
    refuse_share: Share
    """Attempts that fail under full strain."""
    drops_per_minute: Annotated[float, Meta(ge=0, le=60)]
    """How often a listener is dropped under full strain."""
    losses_per_hour: Annotated[float, Meta(ge=0, le=60)]
    """How often a listener's connection breaks for reasons of its own."""
    answer_seconds: Annotated[float, Meta(gt=0, le=60)]
    """Mean time an attempt takes to be answered without strain, and what full strain adds to it."""
    strained_answer_seconds: Annotated[float, Meta(ge=0, le=60)]


class RetrySpec(_Part, frozen=True):
    """When a client tries again by itself."""

    policy: Literal["fixed", "exponential", "full-jitter", "none"]
    after_drop_seconds: Annotated[float, Meta(gt=0, le=3600)]
    base_seconds: Annotated[float, Meta(gt=0, le=3600)]
    """After the first failed attempt; ``fixed``: after each one."""
    cap_seconds: Annotated[float, Meta(gt=0, le=3600)]
    """The longest wait of the growing policies."""


class HostsSpec(_Part, frozen=True):
    """What the hosts do about it."""

    close_after_minutes: Minutes
    """A room that melts so long after the scheduled start, and has for a minute, is closed."""
    closing_seconds: Annotated[float, Meta(gt=0, le=600)]
    """How long it takes to disconnect everybody from it."""
    reopen_after_minutes: Minutes
    settle_minutes: Minutes
    """The talk begins once the room has been calm this long (the earliest: this long after the scheduled start)."""
    calm_below: Annotated[float, Meta(gt=0, le=1)]
    """Strain below which a room is calm."""
    latest_start_minutes: Minutes
    """The talk begins this long after the scheduled start, however it looks."""
    talk_minutes: Minutes
    end_minutes: Minutes
    """How long the end is worth watching; the night that follows counts as quiet."""


class Fact(_Part, frozen=True):
    """A row of the table of facts (docs/scenarios.md), and what the tape must show for it."""

    row: Annotated[int, Meta(ge=1, le=99)]
    kind: Literal["stated", "press", "assumed"]
    """Stated in the texts the project grew from, from other press reports, or our own assumption."""
    fact: Text
    measure: Measure | None = None
    """What of the tape is held against it; null where the sources give nothing that could be measured."""
    low: float | None = None
    high: float | None = None
    """The figures that are accepted, both ends included; null where the sources give no figure."""


class Scenario(_Part, frozen=True, kw_only=True):
    """A night as it is to be simulated, every value spelled out."""

    name: Name
    title: Text
    seed: Annotated[int, Meta(ge=0, lt=MOST_SEEDS)] = 0
    """Which of all such nights, where nobody asks for another one."""
    size: Annotated[float, Meta(gt=0, le=1000)] = 1.0
    """Multiplies the crowd, the tweets and what the rooms carry, as ``--scale`` does."""
    people: tuple[Person, ...] = ()
    schedule: ScheduleSpec
    crowd: CrowdSpec
    server: ServerSpec
    retry: RetrySpec
    hosts: HostsSpec
    tweets: TweetSpec = TweetSpec()
    facts: tuple[Fact, ...] = ()
