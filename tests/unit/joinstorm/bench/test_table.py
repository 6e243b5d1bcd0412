"""The table of a benchmark: medians, the slowest and fastest run, ratios per CPU second, and every setup."""

import json

from joinstorm.bench.measurement import Measurement, Repeats
from joinstorm.bench.setups import setups
from joinstorm.bench.table import as_json, as_text, behind

MACHINE = {"processor": "a processor", "cores": "2"}


def repeats(name: str, *cpu_seconds: float, events: int = 1_000, complete: bool = True) -> Repeats:
    """Return a contender with one run of two seconds per given processor time."""
    return Repeats(name, tuple(Measurement(name, events, 2.0, one, complete) for one in cpu_seconds))


def test_a_contender_is_rated_by_its_median_run() -> None:
    """One slow run of three changes neither the rate nor the cost per event."""
    one = repeats("faust", 1.0, 50.0, 2.0)

    assert one.per_cpu_second == 500.0
    assert one.cpu_us_per_event == 2_000.0
    assert one.interval() == (20.0, 1_000.0)
    assert one.per_second == 500.0


def test_the_table_compares_processor_time_and_names_every_setup() -> None:
    """Ratios are of events per CPU second; how a contender is set up stands below."""
    table = as_text(
        [repeats("yardstick", 4.0, 4.0), repeats("faust", 1.0, 1.0)], ["yardstick"], MACHINE, {"faust": "x 1"}
    )

    faust = next(line for line in table.splitlines() if line.startswith("faust "))
    assert faust.endswith("4.00")
    assert "faust: x 1" in table
    assert "Medians of 2 runs" in table
    assert table.endswith("a processor, 2")


def test_a_stopped_contender_is_marked() -> None:
    """A rate from part of the night is not passed off as that of the whole."""
    table = as_text([repeats("quix", 3.0, complete=False)], [], MACHINE, {})

    assert "(stopped after its time)" in table


def test_a_contender_that_counted_nothing_says_so() -> None:
    """A zero would look like a measurement."""
    table = as_text([repeats("spark", 9.0, events=0, complete=False), repeats("faust", 1.0)], ["spark"], MACHINE, {})

    spark = next(line for line in table.splitlines() if line.startswith("spark "))
    assert spark.split(maxsplit=2)[1:] == ["0", "(counted nothing in its time)"]
    assert "Nothing here is faster than faust." in table


def test_among_engines_only_faust_is_ours() -> None:
    """The engine kafka-python is a contender; as a producer it is ours."""
    assert behind([repeats("faust", 1.0), repeats("kafka-python", 9.0)]) == []
    (cpu,) = behind([repeats("raw", 1.0), repeats("kafka-python", 9.0)])
    assert cpu.startswith("kafka-python is behind raw")


def test_json_holds_every_run_and_the_interval() -> None:
    """A program finds the medians, the interval and each run by name."""
    found = json.loads(as_json([repeats("faust", 1.0, 4.0)], MACHINE, {"faust": "setup"}))

    (row,) = found["measured"]
    assert row["per_cpu_second_interval"] == [250.0, 1000.0]
    assert [one["cpu_seconds"] for one in row["runs"]] == [1.0, 4.0]
    assert row["setup"] == "setup"
    assert found["machine"] == MACHINE


def test_it_is_said_where_ours_is_behind() -> None:
    """Each rate by itself, and whether the runs overlap; where ours leads everywhere, that is said."""
    fast, slow = repeats("go", 1.0, 1.5), repeats("faust", 1.4, 4.0)
    (line,) = behind([fast, slow])
    assert line.startswith("faust is behind go: 482 against 833 events per CPU second, and their runs overlap")
    assert line in as_text([fast, slow], [], MACHINE, {})
    assert json.loads(as_json([fast, slow], MACHINE, {}))["behind"] == [line]
    assert "Nothing here is faster than faust." in as_text([repeats("go", 9.0), slow], [], MACHINE, {})


def test_every_contender_is_shown_with_its_settings() -> None:
    """Engines by name with licence and settings in effect, programs with their command and clock."""
    found = setups({"faust": "faust", "mine": "external:./engine --fast"}, {"faust": {"workers": "3"}})
    assert "BSD-3-Clause" in found["faust"]
    assert "workers 3" in found["faust"]
    assert "./engine --fast" in found["mine"]
    assert found["mine"].endswith("includes the start of the program.")


def test_nothing_is_compared_with_a_contender_that_did_not_count() -> None:
    """One whose time was up before it began, in some run, is no base of a ratio."""
    late = Repeats("java", (Measurement("java", 0, 9.0, 1.0, False), Measurement("java", 5, 9.0, 1.0, False)))
    assert "x java" not in as_text([late, repeats("faust", 1.0)], ["java"], MACHINE, {})


def test_a_contender_that_counted_nothing_has_no_rate() -> None:
    """Nothing is divided by zero."""
    none = repeats("slow", 0.0, events=0, complete=False)

    assert (none.per_cpu_second, none.cpu_us_per_event) == (0.0, 0.0)
