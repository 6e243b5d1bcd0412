"""The conformance suite as tests: one class, and a small config for every engine."""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from joinstorm.conformance.certificate import PointOutcome, choose, conform
from joinstorm.conformance.points import POINTS
from joinstorm.engines.catalog import engine_under_test
from joinstorm.engines.undertest import EngineUnderTest
from joinstorm.testing.plugin import SERVERS
from streams.kafka.admin import open_admin
from streams.kafka.connection import Connection
from tests.conftest import need_engine

JOBS = 4
STEP_SECONDS = 300.0
"""Several points at once and a second test process beside them: a right engine is slow then, and not stuck."""
_OF_A_POINT = re.compile(r"[a-z]+-[0-9a-f]{8}\.")
"""The prefix of the topics of a point: its night's name and a number of its own."""


@dataclass(frozen=True)
class Config:
    """What differs between engines.

    Args:
        engine: Its name.
        points: The points played here; all if empty. The rest is for ``joinstorm conform``.
        statuses: Outcomes other than ``exact``, by point, for what an engine cannot do by its nature.
    """

    engine: str
    points: tuple[str, ...] = ()
    statuses: Mapping[str, str] = field(default_factory=dict)

    def under_test(self) -> EngineUnderTest:
        """Return the engine, or skip the test when it is not installed and need not be."""
        need_engine(self.engine)
        return engine_under_test(self.engine, seconds=STEP_SECONDS)


def delete_points(kafka: Connection) -> None:
    """Delete the topics of all points that were played: hundreds of them would slow the broker for every later test."""
    if os.environ.get(SERVERS):
        return  # a broker that was given, where others may have topics of such names, or play points now
    with contextlib.closing(open_admin(kafka)) as admin:
        admin.delete_topics([topic for topic in admin.list_topics() if _OF_A_POINT.match(topic)])


def shown_outcome(outcome: PointOutcome) -> str:
    """Return what to show when a test fails."""
    return "\n".join([f"{outcome.point}: {outcome.status}", outcome.detail, *map(str, outcome.named)])


@pytest.mark.integration
@pytest.mark.timeout(1200)
class Conformance:
    """Every engine is held to every point; an engine of its own adds a subclass with a config."""

    config: ClassVar[Config]

    @pytest.fixture(scope="class")
    @classmethod
    def outcomes(cls, kafka: Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, PointOutcome]]:
        """Play the points, several at once as they wait more than they work, and return the outcomes by name."""
        folder = tmp_path_factory.mktemp(cls.config.engine)
        points = choose(cls.config.points)
        yield {one.point: one for one in conform(kafka, cls.config.under_test(), folder, points=points, jobs=JOBS)}
        delete_points(kafka)

    @pytest.mark.parametrize("point", [point.name for point in POINTS])
    def test_point(self, point: str, outcomes: dict[str, PointOutcome]) -> None:
        """What the engine shows at this point of the certificate is what is written of it."""
        if point not in outcomes:
            pytest.skip("left to joinstorm conform: it takes long with this engine")
        assert outcomes[point].status == self.config.statuses.get(point, "exact"), shown_outcome(outcomes[point])
