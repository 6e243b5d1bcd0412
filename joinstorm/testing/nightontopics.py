"""A tiny night on the topics of a run of its own, and its answers."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from joinstorm.conformance.pointrun import PointRun
from joinstorm.engines.undertest import EngineUnderTest
from streams.contract.runinfo import RunInfo
from streams.golden import Expected, GoldenNight
from streams.kafka.connection import Connection


@dataclass(frozen=True)
class NightOnTopics:
    """A night whose records are all on its topics, end marks included.

    Args:
        connection: Where the broker is.
        info: The record of ``run.info``.
        expected: The true final counts, by window and space or subject, and the totals of events.
    """

    connection: Connection
    info: RunInfo
    expected: Expected

    @property
    def bootstrap_servers(self) -> str:
        """Address of the broker, ``host:port``."""
        return self.connection.bootstrap_servers

    @property
    def topics(self) -> Mapping[str, str]:
        """The full name of every topic by its base name, such as ``space.presence``."""
        return self.info.topics

    @property
    def partitions(self) -> int:
        """Partitions of each input topic; as many end marks come."""
        return self.info.partitions

    def totals(self, count: str) -> dict[str, int]:
        """Return the true total of a count over the night, such as ``joins`` or ``posts``, by space or subject."""
        found: Counter[str] = Counter()
        for table in (self.expected.audience, self.expected.reaction):
            for (_, name), counts in table.items():
                found[name] += counts.get(count, 0)
        return {name: total for name, total in found.items() if total}


@contextmanager
def on_topics(connection: Connection, night: GoldenNight, folder: Path) -> Iterator[NightOnTopics]:
    """Open a run, send a whole night to it and yield it.

    Args:
        connection: A broker.
        night: The night.
        folder: Where files of the run may be kept.
    """
    with PointRun(connection, EngineUnderTest("none", ()), night, folder) as run:
        run.send(run.night.records)
        yield NightOnTopics(connection, run.info, run.night.expected)
