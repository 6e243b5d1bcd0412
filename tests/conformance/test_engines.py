"""Every engine against the contract; to add one, add its config."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from joinstorm.embedded.kafkahome import find_java
from joinstorm.engines.catalog import engine_under_test
from joinstorm.engines.undertest import EngineUnderTest
from tests.conformance.base import STEP_SECONDS, Config, Conformance
from tests.conftest import required

JAR = Path(__file__).parents[2] / "examples" / "kafka-streams" / "target" / "joinstorm-kafka-streams.jar"

ANSWERS = ("golden-doors", "clean", "duplicates", "out-of-order", "late", "durations", "breakdowns")
"""For engines that take long to start: what may happen to records."""


class TestFaust(Conformance):
    """The default engine: everything is exact."""

    config = Config("faust")


class TestFaustTables(Conformance):
    """Faust as its manual teaches: a duplicate counts twice."""

    config = Config(
        "faust-tables",
        points=("golden-doors", "clean", "duplicates", "late"),
        statuses=dict.fromkeys(("golden-doors", "duplicates"), "wrong"),
    )


class TestKafkaPython(Conformance):
    """The smallest engine: everything is exact."""

    config = Config("kafka-python")


class TestQuix(Conformance):
    """Quix Streams: everything is exact."""

    config = Config("quix", points=(*ANSWERS, "corrupt", "kill"))


class TestBytewax(Conformance):
    """Bytewax: everything is exact."""

    config = Config("bytewax", points=(*ANSWERS, "corrupt", "kill"))


class TestPathway(Conformance):
    """Pathway: everything is exact; it cannot take a second worker in."""

    config = Config("pathway", points=(*ANSWERS, "corrupt", "kill"))


class TestFlink(Conformance):
    """Flink SQL: everything is exact; a JVM starts with every point, so not all are played here."""

    config = Config(
        "flink",
        points=("golden-doors", "late", "corrupt", "durations", "breakdowns", "kill"),
    )


class TestSpark(Conformance):
    """Spark: everything is exact; its JVM takes long to start, so one night is played here."""

    config = Config("spark", points=("clean",))


@dataclass(frozen=True)
class Example(Config):
    """The program of examples/kafka-streams, once Maven has built it."""

    def under_test(self) -> EngineUnderTest:
        """Return it, run by the Java that runs the broker."""
        if not (JAR.exists() or required()):
            pytest.skip("not built: mvn -q package, in examples/kafka-streams")
        command = shlex.join([str(find_java(os.environ)), "-Xmx512m", "-jar", str(JAR)])
        return engine_under_test("external", shown_as=self.engine, options={"command": command}, seconds=STEP_SECONDS)


class TestKafkaStreams(Conformance):
    """The example in Java: everything is exact; a JVM starts with every point, so not all are played here."""

    config = Example("kafka-streams", points=("clean", "late", "durations", "breakdowns", "kill"))
