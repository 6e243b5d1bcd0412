"""How engines are set up, as comparisons show it: library, licence, restart, settings in effect."""

import ast
from pathlib import Path

import pytest

from joinstorm.engines.catalog import CATALOG
from joinstorm.engines.setup import KEEPS, KNOWN, READS_AGAIN, setup_of
from streams.engines.faust.engine import FETCH_BYTES
from streams.engines.faust.worker import PUBLISH_SECONDS as FAUST_SECONDS
from streams.engines.flink.cluster import DEFAULT_MEMORY
from streams.engines.kafkapython.engine import PUBLISH_SECONDS
from streams.engines.spark.options import QUERY, SparkOptions

ENGINES = Path(__file__).parents[4] / "streams" / "engines"


def constants(path: str) -> dict[str, str]:
    """Return the constants of a module whose library is not installed here, as source."""
    tree = ast.parse((ENGINES / path).read_text())
    return {
        node.target.id: ast.unparse(node.value)
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None
    }


def test_every_engine_is_known() -> None:
    """Each of the catalog but the one that is any program has a licence and a restart."""
    assert set(KNOWN) == set(CATALOG) - {"external"}
    assert all(one.licence and one.restart for one in KNOWN.values())


def test_the_settings_are_those_of_the_engines() -> None:
    """What is shown to others is what the code does."""
    assert KNOWN["faust"].settings["fetches"] == f"{FETCH_BYTES >> 20} MiB a partition"
    assert KNOWN["faust"].settings["results"] == f"every {FAUST_SECONDS[0]:g} to {FAUST_SECONDS[1]:g} s"
    assert KNOWN["kafka-python"].settings["results"] == f"every {PUBLISH_SECONDS:g} s"
    assert KNOWN["flink"].settings["memory"] == DEFAULT_MEMORY
    spark = SparkOptions()
    shown = KNOWN["spark"].settings
    assert (shown["master"], shown["memory"], shown["batch"]) == (spark.master, spark.memory, str(spark.batch))
    assert shown["spark.sql.shuffle.partitions"] == QUERY["spark.sql.shuffle.partitions"]


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        ("quix/flow.py", "PUBLISH_SECONDS", "0.1"),
        ("bytewax/flow.py", "PUBLISH", "timedelta(milliseconds=250)"),
        ("pathway/flow.py", "BATCH_MS", "250"),
        ("pathway/flow.py", "BACKLOG", "50000"),
        ("faust/tables.py", "PUBLISH_SECONDS", "0.5"),
    ],
)
def test_the_settings_of_engines_in_their_own_environment(module: str, name: str, value: str) -> None:
    """Their modules cannot be imported here; a changed constant has to be shown as well."""
    assert constants(module)[name].replace("_", "") == value


def test_options_given_are_settings_in_effect() -> None:
    """They replace the defaults and are named; the state folder is no setting."""
    found = setup_of("bytewax", {"workers": "2", "state_dir": "/x"})
    assert found.options == {"workers": "2"}
    assert found.settings["workers"] == "2"
    assert found.settings["snapshots"] == "every 1 s"
    assert (found.licence, found.restart) == ("Apache-2.0", KEEPS)


def test_a_program_says_it_in_its_file(tmp_path: Path) -> None:
    """Licence and restart are those of engine.toml; without them nothing is claimed."""
    file = tmp_path / "engine.toml"
    file.write_text('name = "mine"\ncommand = "./mine"\nlicence = "MIT"\nrestart = "reads again"\n[options]\nn = 5\n')
    found = setup_of(str(file), {"n": "7"})
    assert (found.licence, found.restart) == ("MIT", READS_AGAIN)
    assert found.settings == {"command": "./mine", "n": "7"}
    bare = setup_of("external:./mine", {})
    assert (bare.licence, bare.restart, bare.library) == ("", "", "")
