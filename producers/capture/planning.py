"""From what a user asks of a capture to the offsets of each partition."""

import asyncio
import contextlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from kafka.errors import KafkaError as KafkaPythonError

from producers.capture.captureformat import CapturePlan, Part
from producers.capture.reading import ends_at, opened
from producers.moments import duration_ms
from streams.errors import BrokerError, UsageError
from streams.kafka.admin import failed, open_admin
from streams.kafka.connection import Connection
from streams.suggest import unknown

_SHIFT: Final = re.compile(r"([+-])(.+)")
_RANGE: Final = re.compile(r"(?:(?P<topic>[\w.-]+):)?(?P<partition>\d+)=(?P<begin>\d+)\.\.(?P<end>\d+)?")


@dataclass(frozen=True)
class Bounds:
    """Which records are wanted: all that are there, if nothing else is said.

    Args:
        begin: The time of the first record, as ``time_of`` reads it.
        until: The time before which the last record lies; in the future, what is still to come is captured, too.
        offsets: Ranges as ``[TOPIC:]PARTITION=FROM..[UNTIL]``; other partitions are left out.
        count: The most records of all partitions together.
        committed: Whether records of open and aborted transactions are left out.
    """

    begin: str | None = None
    until: str | None = None
    offsets: tuple[str, ...] = ()
    count: int | None = None
    committed: bool = True


@dataclass(frozen=True)
class ClusterTopics:
    """What a cluster says of topics."""

    cluster: str
    partitions: dict[str, int]
    ids: dict[str, str]
    """A topic that is made again under its name has another id."""


def topics_of(connection: Connection, topics: Sequence[str]) -> ClusterTopics:
    """Return what the cluster says of topics.

    Raises:
        BrokerError: The broker does not answer.
        UsageError: There is no such topic; the text names close ones.
    """
    try:
        with contextlib.closing(open_admin(connection)) as admin:
            present = set(admin.list_topics())
            for topic in topics:
                if topic not in present:
                    raise UsageError(f"{connection.bootstrap_servers}: {unknown('topic', topic, sorted(present))}")
            found = admin.describe_topics(list(topics))
            cluster = admin.describe_cluster()["cluster_id"] or ""
    except KafkaPythonError as error:
        raise failed(connection, f"cannot look up {', '.join(topics)}", error) from error
    return ClusterTopics(
        cluster,
        {topic["name"]: len(topic["partitions"]) for topic in found},
        {topic["name"]: str(topic.get("topic_id") or "") for topic in found},
    )


def planned(connection: Connection, topics: Sequence[str], bounds: Bounds) -> CapturePlan:
    """Return the plan of a capture.

    Raises:
        BrokerError: The broker does not answer.
        UsageError: There is no such topic or partition, or the bounds cannot be met.
    """
    now = time.time_ns() // 1_000_000
    ranges = [_range(text, topics) for text in bounds.offsets]
    if ranges and (bounds.begin or bounds.until):
        raise UsageError("--offsets and --from or --until exclude each other")
    begin_ms = None if bounds.begin is None else time_of(bounds.begin, now)
    until_ms = None if bounds.until is None else time_of(bounds.until, now)
    if begin_ms is not None and until_ms is not None and begin_ms >= until_ms:
        raise UsageError(f"--from {bounds.begin} is not before --until {bounds.until}")
    about = topics_of(connection, topics)
    places = [TopicPartition(topic, number) for topic, count in about.partitions.items() for number in range(count)]
    live = until_ms is not None and until_ms > now
    found = asyncio.run(_offsets(connection, places, begin_ms, None if live else until_ms, committed=bounds.committed))
    if ranges:
        parts = _ranged(ranges, places, found.first, found.last)
    else:
        parts = [
            Part(place.topic, place.partition, begin, None if live else max(begin, found.ends[place]))
            for place, begin in found.begins.items()
        ]
    return CapturePlan(
        v=1,
        cluster=about.cluster,
        topics=about.partitions,
        ids=about.ids,
        parts=tuple(parts),
        committed=bounds.committed,
        until_ms=until_ms if live else None,
        count=bounds.count,
        created_ms=now,
    )


class _Offsets(NamedTuple):
    """Offsets of each partition: what there is, and what lies between two moments."""

    first: dict[TopicPartition, int]
    last: dict[TopicPartition, int]
    begins: dict[TopicPartition, int]
    ends: dict[TopicPartition, int]


async def _offsets(
    connection: Connection, places: list[TopicPartition], begin_ms: int | None, until_ms: int | None, *, committed: bool
) -> _Offsets:
    try:
        async with opened(connection, committed=committed) as consumer:
            first = await consumer.beginning_offsets(places)
            last = await ends_at(consumer, places, None)
            begins = first if begin_ms is None else await ends_at(consumer, places, begin_ms)
            ends = last if until_ms is None else await ends_at(consumer, places, until_ms)
    except (KafkaError, OSError) as error:
        names = ", ".join(sorted({place.topic for place in places}))
        raise failed(connection, f"cannot look up {names}", error) from error
    return _Offsets(first, last, begins, ends)


def time_of(text: str, now: int) -> int:
    """Return a time as a user writes it, in ms since the epoch.

    Args:
        text: ``2026-11-29T22:05:00Z``, or ``-1h`` or ``+10m`` from now.
        now: The present time in ms.

    Raises:
        UsageError: It is neither.
    """
    if match := _SHIFT.fullmatch(text.strip()):
        length = duration_ms(match[2])
        return now + (length if match[1] == "+" else -length)
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"{text!r} is no time; expected one such as 2026-11-29T22:05:00Z, or an offset from now (-1h, +10m)"
        ) from None
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


def _range(text: str, topics: Sequence[str]) -> tuple[str, int, int, int | None]:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise UsageError(f"--offsets {text!r}: expected [TOPIC:]PARTITION=FROM..[UNTIL], such as 0=100..200")
    topic = match["topic"] or topics[0]
    if topic not in topics:
        raise UsageError(f"--offsets {text!r}: {topic} is not captured")
    if match["topic"] is None and len(topics) > 1:
        raise UsageError(f"--offsets {text!r}: of which topic? Write TOPIC:{text}")
    return topic, int(match["partition"]), int(match["begin"]), None if match["end"] is None else int(match["end"])


def _ranged(
    ranges: Sequence[tuple[str, int, int, int | None]],
    places: Sequence[TopicPartition],
    first: dict[TopicPartition, int],
    last: dict[TopicPartition, int],
) -> list[Part]:
    parts: dict[TopicPartition, Part] = {}
    for topic, partition, begin, end in ranges:
        place = TopicPartition(topic, partition)
        if place not in places:
            raise UsageError(f"--offsets: {topic} has no partition {partition}")
        if place in parts:
            raise UsageError(f"--offsets: {topic}[{partition}] is there twice")
        until = last[place] if end is None else end
        if not first[place] <= begin <= until <= last[place]:
            raise UsageError(
                f"--offsets: {topic}[{partition}] holds offsets {first[place]} to before {last[place]}, "
                f"not {begin} to before {until}"
            )
        parts[place] = Part(topic, partition, begin, until)
    return list(parts.values())


def check_same(plan: CapturePlan, about: ClusterTopics, connection: Connection) -> None:
    """Refuse to continue a capture from other topics than those it was begun with.

    Raises:
        BrokerError: It is another cluster, or a topic was made again.
    """
    if about.cluster != plan.cluster:
        raise BrokerError(
            f"{connection.bootstrap_servers}: cluster {about.cluster}, but the capture is of {plan.cluster}"
        )
    for topic, known in plan.ids.items():
        if about.ids.get(topic) != known:
            raise BrokerError(f"{connection.bootstrap_servers}: topic {topic} was made again since the capture began")
