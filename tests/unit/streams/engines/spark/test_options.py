"""The options of the engine ``spark`` become settings of Spark; wrong ones are refused by name."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from streams.engines import registry
from streams.engines.spark.options import SparkOptions
from streams.errors import UsageError
from streams.golden import load
from streams.kafka.connection import Connection

INFO = load("doors").info
JARS = [Path("/jars/a.jar"), Path("/jars/b.jar")]


def session(**options: str) -> dict[str, str]:
    """Return the settings of the session that follow from options, whose names have ``_`` for ``.``."""
    given = {name.replace("_", "."): value for name, value in options.items()}
    return SparkOptions.of(given).session(INFO, JARS, Path("/scratch"))


def test_without_options_spark_works_on_this_machine() -> None:
    """All its cores, 1 GiB of heap, and no listener beyond this machine."""
    settings = session()
    assert settings["spark.master"] == "local[*]"
    assert settings["spark.driver.memory"] == "1g"
    assert settings["spark.driver.bindAddress"] == "127.0.0.1"
    assert "spark.jars" not in settings
    assert "RocksDB" in settings["spark.sql.streaming.stateStore.providerClass"]


def test_a_cluster_is_reached_from_outside() -> None:
    """Its executors must find the driver and get the connector."""
    settings = session(master="spark://head:7077", memory="2g")
    assert settings["spark.master"] == "spark://head:7077"
    assert settings["spark.driver.memory"] == "2g"
    assert "spark.driver.host" not in settings
    assert settings["spark.jars"] == "/jars/a.jar,/jars/b.jar"


def test_settings_of_spark_override_ours() -> None:
    """Under Spark's own names."""
    given = {"spark.sql.shuffle.partitions": "8", "spark.executor.memory": "3g"}
    settings = SparkOptions.of(given).session(INFO, JARS, Path("/scratch"))
    assert given.items() <= settings.items()


def test_a_short_night_is_not_worth_javas_second_compiler() -> None:
    """A long one is; both have the heap that was asked for."""
    short = SparkOptions.of({"memory": "2g"}).java(INFO, Path("/scratch"))
    long = SparkOptions.of({}).java(replace(INFO, events=10_000_000), Path("/scratch"))
    assert "-Xmx2g" in short
    assert "-XX:TieredStopAtLevel=1" in short
    assert "-XX:TieredStopAtLevel=1" not in long


@pytest.mark.parametrize(("text", "milliseconds"), [("500ms", 500), ("2s", 2000), ("0ms", 0)])
def test_a_trigger_has_a_unit(text: str, milliseconds: int) -> None:
    """Milliseconds or seconds."""
    assert SparkOptions.of({"trigger": text}).trigger_ms == milliseconds


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("trigger", "500", "500ms or 2s"),
        ("memory", "2 GB", "2g"),
        ("batch", "0", "above 0"),
        ("submit", "maybe", "yes or no"),
        ("cluster", "a:1", "master, memory, trigger, batch, submit, state_dir or spark.NAME"),
    ],
)
def test_wrong_options_are_refused_before_anything_starts(option: str, value: str, expected: str) -> None:
    """The text names the option and what was expected."""
    with pytest.raises(UsageError, match=expected) as caught:
        registry.load("spark").require({option: value})
    assert repr(option) in str(caught.value) or f"{option}={value!r}" in str(caught.value)


def test_the_source_reads_every_partition_from_its_first_record() -> None:
    """Both input topics by their full names; aborted records are not read, and a gap is an error."""
    info = replace(INFO, partitions=2)
    options = SparkOptions.of({"batch": "1000"}).source(info, Connection("a:1,b:2"))
    assert json.loads(options["assign"]) == {info.topics["space.presence"]: [0, 1], info.topics["tweets"]: [0, 1]}
    assert options["startingOffsets"] == "earliest"
    assert options["kafka.bootstrap.servers"] == "a:1,b:2"
    assert options["kafka.isolation.level"] == "read_committed"
    assert (options["maxOffsetsPerTrigger"], options["failOnDataLoss"]) == ("1000", "true")
