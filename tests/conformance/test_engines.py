"""Every engine against the contract; to add one, add its config."""

from tests.conformance.base import Config, Conformance

ANSWERS = ("golden-doors", "clean", "duplicates", "out-of-order", "late")
"""For engines that take long to start: what may happen to records."""


class TestFaust(Conformance):
    """The default engine: everything is exact."""

    config = Config("faust")


class TestFaustTables(Conformance):
    """Faust as its manual teaches: a duplicate counts twice."""

    config = Config("faust-tables", points=ANSWERS, statuses={"golden-doors": "wrong", "duplicates": "wrong"})


class TestKafkaPython(Conformance):
    """The smallest engine: everything is exact."""

    config = Config("kafka-python")


class TestQuix(Conformance):
    """Quix Streams: everything is exact."""

    config = Config("quix", points=(*ANSWERS, "corrupt", "kill"))


class TestBytewax(Conformance):
    """Bytewax: everything is exact."""

    config = Config("bytewax", points=(*ANSWERS, "corrupt", "kill"))


class TestFlink(Conformance):
    """Flink SQL: everything is exact; a JVM starts with every point, so not all are played here."""

    config = Config("flink", required=False, points=("golden-doors", "duplicates", "late", "kill"))
