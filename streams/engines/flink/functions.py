"""The Python functions of the job's SQL: one per input topic, which makes rows of records."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyflink
from pyflink.table import DataTypes, TableEnvironment
from pyflink.table.udf import TableFunction, udtf

from streams.contract.runinfo import RunInfo
from streams.contract.topics import PRESENCE, TWEETS
from streams.engines.flink.rows import ROWS, row_of

FUNCTIONS: Final = {PRESENCE: "read_presence", TWEETS: "read_tweet"}
"""The SQL name of each function, by the base name of its topic."""
_NUMBERS: Final = ("at", "event_id", "listener", "author", "try_", "since_drop_ms")
_ARRAYS: Final = ("hashtags",)


class ReadRecord(TableFunction):  # type: ignore[misc]  # typed only if Flink is installed
    """Yields the one row of a record.

    Args:
        topic: The input topic, by its base name.
        info: The run.
    """

    def __init__(self, topic: str, info: RunInfo) -> None:
        self._topic, self._info = topic, info

    def eval(self, raw: bytes | None) -> Iterator[tuple[Any, ...]]:
        """Yield the row of a record's value."""
        yield tuple(row_of(self._topic, raw, self._info))


def register(table: TableEnvironment, info: RunInfo) -> None:
    """Make the functions known to the SQL of a job."""
    for topic, name in FUNCTIONS.items():
        types = [_type(field) for field in ROWS[topic]._fields]
        function = udtf(ReadRecord(topic, info), input_types=[DataTypes.BYTES()], result_types=types)
        table.create_temporary_system_function(name, function)


def _type(field: str) -> Any:
    if field in _NUMBERS:
        return DataTypes.BIGINT()
    return DataTypes.ARRAY(DataTypes.STRING()) if field in _ARRAYS else DataTypes.STRING()


def packed(folder: Path) -> Path:
    """Write the package ``streams`` as a file that Flink brings to its task managers, and return its path."""
    home = Path(__file__).parents[2]
    path = folder / "streams.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for module in sorted(home.rglob("*.py")):
            archive.write(module, module.relative_to(home.parent))
    return path


def libraries() -> Path:
    """Return the folder of the packages that the functions import, as a task manager with this environment has it."""
    return Path(pyflink.__file__).parents[1]
