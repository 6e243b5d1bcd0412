"""Compares topics with a capture: by digest, partition by partition."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from producers.capture.capturefile import Capture, open_capture
from producers.capture.digest import Digest, Digester
from producers.capture.planning import Bounds, planned
from producers.capture.reading import Reading, begin_of
from streams.errors import UsageError
from streams.kafka.connection import Connection

Progress = Callable[[int, int], None]
"""Called with how much is done, and of how much."""
_EQUAL, _SHIFTED, _OTHER = "equal", "other timestamps", "different"


@dataclass(frozen=True)
class Comparison:
    """A topic beside the captured one it should equal."""

    captured: Digest
    found: Digest

    @property
    def outcome(self) -> str:
        """``equal``, ``other timestamps`` if all else is equal, or ``different``."""
        if self.captured.digest == self.found.digest:
            return _EQUAL
        return _SHIFTED if self.captured.content == self.found.content else _OTHER

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return self.outcome == _EQUAL

    def text(self) -> str:
        """Return the comparison as text."""
        line = (
            f"{self.found.topic} and {self.captured.topic} of the capture: {self.outcome}; {self.found.records:,} and "
            f"{self.captured.records:,} records, digests {self.found.digest[:16]} and {self.captured.digest[:16]}"
        )
        return "\n".join([line, *(f"  partition {self._part(number)}" for number in self._differing())])

    def _differing(self) -> list[int]:
        ours, theirs = self.captured.partitions, self.found.partitions
        return [number for number in sorted({*ours, *theirs}) if ours.get(number) != theirs.get(number)]

    def _part(self, number: int) -> str:
        nothing = (0, "", "")
        found = self.found.partitions.get(number, nothing)
        captured = self.captured.partitions.get(number, nothing)
        what = "timestamps differ" if found[2] == captured[2] else "records differ"
        return f"{number}: {what}; {found[0]:,} and {captured[0]:,} records"


def file_digests(path: Path, progress: Progress) -> dict[str, Digest]:
    """Return the digest of each topic of a capture.

    Raises:
        CaptureError: It cannot be read, or is not as it was written.
    """
    return _digests(open_capture(path), progress)


def _digests(capture: Capture, progress: Progress) -> dict[str, Digest]:
    digester, done = Digester(), 0
    for (topic, partition), entries in capture.by_partition.items():
        for entry in entries:
            digester.add(topic, partition, capture.read(entry))
            done += entry.note.records
            progress(done, capture.records)
    return digester.digests(capture.topics)


def compare(
    connection: Connection, path: Path, topics: Sequence[str], bounds: Bounds, progress: Progress
) -> list[Comparison]:
    """Return a comparison of each topic with its captured one.

    Args:
        connection: Where the broker is.
        path: The capture.
        topics: ``TOPIC`` for a capture of one topic or one of the same name, or ``CAPTURED=TOPIC``.
        bounds: Which records of the topics.
        progress: Called while both are read.

    Raises:
        JoinstormError: The capture or a topic cannot be read, or a topic is not in the capture.
    """
    capture = open_capture(path)
    names = targets(capture, topics)
    plan = planned(connection, list(dict.fromkeys(names.values())), bounds)
    wanted = sum((part.end or part.begin) - part.begin for part in plan.parts)
    ours = _digests(capture, lambda done, total: progress(done, total + wanted))
    digester = Digester()

    def show(read: int) -> None:
        progress(capture.records + read, capture.records + wanted)

    asyncio.run(Reading(connection, plan, begin_of(plan.parts), 0, digester.accept, show).run())
    theirs = digester.digests(names.values())
    return [Comparison(ours[captured], theirs[topic]) for captured, topic in names.items()]


def targets(capture: Capture, given: Sequence[str]) -> dict[str, str]:
    """Return the topic that stands for each topic of a capture.

    Args:
        capture: The capture.
        given: ``TOPIC`` for a capture of one topic, ``CAPTURED=TOPIC`` for one of several.

    Raises:
        UsageError: A topic is missing, is not in the capture, or stands for two.
    """
    known = list(capture.topics)
    if len(known) == 1 and len(given) == 1 and "=" not in given[0]:
        return {known[0]: given[0]}
    found: dict[str, str] = {}
    for text in given:
        name, equals, topic = text.partition("=")
        if not equals or name not in known or name in found or not topic:
            raise UsageError(f"--topic {text!r}: expected CAPTURED=TOPIC for each of {', '.join(known)}")
        found[name] = topic
    if missing := [name for name in known if name not in found]:
        raise UsageError(f"--topic: expected {missing[0]}=TOPIC, too: the capture is of {', '.join(known)}")
    if len(set(found.values())) < len(found):
        raise UsageError("--topic: expected another topic for each")
    return found
