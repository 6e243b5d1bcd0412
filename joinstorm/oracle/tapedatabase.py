"""A tape as a table of a database of its own, in memory and in one temporary folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb

from streams.system.scratch import scratch

MEMORY_LIMIT: Final = "2GB"
"""Beyond this the database goes to a temporary folder."""


@contextmanager
def tape_database(tape: Path | str, threads: int | None = None) -> Iterator[Any]:
    """Yield a DuckDB connection that knows the tape's rows as the view ``recorded``; both are gone afterwards.

    Args:
        tape: The tape's file.
        threads: Processor threads, all if not given.

    Raises:
        duckdb.Error: The file cannot be read; inside the block too, as most of it is read by the queries.
    """
    with scratch("oracle") as folder:
        link = folder / "tape.parquet"
        link.symlink_to(Path(tape).resolve())  # a name without the characters that mean a pattern to read_parquet
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
            # Its own reader keeps the dictionaries: a third of the time of the same rows handed over by pyarrow.
            quoted = str(link).replace("'", "''")
            connection.execute(f"CREATE VIEW recorded AS SELECT * FROM read_parquet('{quoted}')")  # noqa: S608 - quoted
            yield connection
        finally:
            connection.close()
