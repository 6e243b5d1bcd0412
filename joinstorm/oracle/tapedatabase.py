"""A tape as a table of its own database, in memory and in a temporary folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb

from streams.system.scratch import scratch

MEMORY_LIMIT: Final = "2GB"
"""Beyond this, the database spills to a temporary folder."""


@contextmanager
def tape_database(tape: Path | str, threads: int | None = None) -> Iterator[Any]:
    """Yield a DuckDB connection with the tape's rows as the view ``recorded``; it is closed after the block.

    Args:
        tape: The tape's file.
        threads: Processor threads; all by default.

    Raises:
        duckdb.Error: The file cannot be read; also inside the block, where the queries read most of it.
    """
    with scratch("oracle") as folder:
        link = folder / "tape.parquet"
        link.symlink_to(Path(tape).resolve())  # a name without characters that read_parquet takes for a pattern
        connection = duckdb.connect(
            config={
                "memory_limit": MEMORY_LIMIT,
                "threads": threads or os.cpu_count() or 1,
                "temp_directory": str(folder),
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
            }
        )
        try:
            # DuckDB's own reader keeps the dictionaries: a third of the time that the same rows from pyarrow take.
            quoted = str(link).replace("'", "''")
            connection.execute(f"CREATE VIEW recorded AS SELECT * FROM read_parquet('{quoted}')")  # noqa: S608 - quoted
            yield connection
        finally:
            connection.close()
