"""The pytest plugin (docs/testing.md): ``kafka_broker``, ``night`` and ``assert_exact``.

pytest imports it in every project of an environment in which joinstorm is installed, so each fixture imports what it
needs when it is used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from joinstorm.testing.nightontopics import NightOnTopics
    from streams.golden import GoldenNight
    from streams.kafka.connection import Connection

SERVERS = "JOINSTORM_BOOTSTRAP_SERVERS"
REQUIRED = "JOINSTORM_REQUIRE_ALL"


@pytest.fixture(scope="session")
def kafka_broker() -> Iterator[Connection]:
    """A real Kafka for the session: JOINSTORM_BOOTSTRAP_SERVERS if given, else an embedded one, without Docker.

    Tests are skipped where none can be had, and fail instead with JOINSTORM_REQUIRE_ALL=1.
    """
    from joinstorm.embedded.broker import EmbeddedBroker  # noqa: PLC0415 - see the module
    from streams.errors import EnvironmentMissingError  # noqa: PLC0415
    from streams.kafka.connection import connection_from  # noqa: PLC0415

    if given := os.environ.get(SERVERS):
        yield connection_from(given, os.environ)
        return
    broker = EmbeddedBroker()
    try:
        broker.__enter__()
    except EnvironmentMissingError as error:
        if os.environ.get(REQUIRED) == "1":
            raise
        pytest.skip(f"{error}\nor: {SERVERS}=HOST:PORT")
    try:
        yield broker.connection
    finally:
        broker.close()


@pytest.fixture(scope="session")
def _tiny_night(tmp_path_factory: pytest.TempPathFactory) -> GoldenNight:
    """A night of some nine thousand events, with the oracle's answers; recorded once."""
    from joinstorm.conformance.nights import simulated  # noqa: PLC0415 - see the module

    return simulated(tmp_path_factory.mktemp("joinstorm-night"))


@pytest.fixture
def night(
    kafka_broker: Connection, _tiny_night: GoldenNight, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NightOnTopics]:
    """A whole tiny night on topics of its own, and its true answers."""
    from joinstorm.testing.nightontopics import on_topics  # noqa: PLC0415 - see the module

    with on_topics(kafka_broker, _tiny_night, tmp_path_factory.mktemp("joinstorm-run")) as opened:
        yield opened


@pytest.fixture
def assert_exact(
    kafka_broker: Connection, _tiny_night: GoldenNight, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., None]:
    """A function that plays points of the certificate with an engine, ``clean`` if none are named; it must be exact."""
    from joinstorm.conformance.certificate import choose, play  # noqa: PLC0415 - see the module
    from joinstorm.conformance.certificatereport import line_of  # noqa: PLC0415
    from joinstorm.engines.catalog import engine_under_test  # noqa: PLC0415

    def check(
        engine: str,
        *,
        points: Sequence[str] = ("clean",),
        options: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> None:
        __tracebackhide__ = True
        tested = engine_under_test(str(engine), options=options, seconds=seconds)
        for point in choose(points):
            logs = tmp_path_factory.mktemp(f"joinstorm-{point.name}")
            outcome = play(point, kafka_broker, tested, _tiny_night, logs)
            if outcome.status != "exact":
                pytest.fail(f"{tested.name}\n{line_of(outcome)}", pytrace=False)

    return check
