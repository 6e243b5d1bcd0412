"""The Flink job as a program: it submits the SQL of ``statements/`` to a Flink.

The engine calls it. It can also be submitted to a cluster with Flink's own command, with the record of ``run.info`` in
a file (docs/engines.md has the command):

    flink run --python job.py -C file://CONNECTOR.jar --info info.json --bootstrap-servers HOST:PORT
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, get_args

from pyflink.table import EnvironmentSettings, TableEnvironment

from streams.contract import runinfo
from streams.contract.runinfo import RunInfo
from streams.engines.flink import functions
from streams.engines.flink.cluster import ON_CLUSTER
from streams.engines.flink.sql import INSERT, Late, counts_topic, statements
from streams.kafka.connection import Connection

DEFAULTS: Final[Mapping[str, str]] = {
    "parallelism.default": "2",
    "taskmanager.numberOfTaskSlots": "2",
    "taskmanager.memory.managed.size": "64m",
    "table.local-time-zone": "UTC",
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "100 ms",
    "table.exec.mini-batch.size": "20000",
    # One aggregation produces all rows of a key, in order, so nothing has to be reordered before the sink.
    "table.exec.sink.upsert-materialize": "NONE",
    # The functions run in the worker's own Flink: no further process to start, none to outlive a kill.
    "python.execution-mode": "thread",
    "execution.checkpointing.interval": "1 s",
    "execution.checkpointing.min-pause": "200 ms",
    "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": "20",
    "restart-strategy.fixed-delay.delay": "1 s",
}
"""Flink settings by Flink's names; all of them can be overridden."""

WINDOWED: Final[Mapping[str, str]] = {"table.exec.mini-batch.enabled": "false"}
"""The same if late events are dropped: mini batches have watermarks of their own, which hide those of event time."""


def submit(
    info: RunInfo, engine: str, connection: Connection, late: Late, settings: Mapping[str, str], scratch: Path
) -> Any:
    """Submit the job and return Flink's client for it.

    Args:
        info: The run.
        engine: The engine name in result keys.
        connection: The brokers, as the task managers reach them.
        late: Whether late events are counted or dropped.
        settings: Flink settings, overriding ``DEFAULTS``.
        scratch: A folder for what Flink copies to its task managers; a Flink in this process reads it while it runs.
    """
    table = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    config = table.get_config()
    own = {"pipeline.name": counts_topic(info, engine), **_python(scratch)}
    for name, value in {**DEFAULTS, **(WINDOWED if late == "drop" else {}), **own, **settings}.items():
        config.set(name, value)
    functions.register(table, info)
    job = table.create_statement_set()
    for statement in statements(info, engine, connection, late):
        if statement.startswith(INSERT):
            job.add_insert_sql(statement)
        else:
            table.execute_sql(statement)
    return job.execute().get_job_client()


def _python(scratch: Path) -> dict[str, str]:
    """Return the settings by which task managers find Python, its packages and the package ``streams``."""
    return {
        "python.executable": sys.executable,
        "python.pythonpath": str(functions.libraries()),
        "python.files": str(functions.packed(scratch)),
    }


def main() -> None:
    """Submit the job to the Flink that runs this program."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--info", type=Path, required=True, help="file with the record of run.info")
    parser.add_argument("--bootstrap-servers", required=True)
    parser.add_argument("--engine", default="flink", help="engine name in result keys")
    parser.add_argument("--late", choices=get_args(Late), default="count", help="count or drop late events")
    given = parser.parse_args()
    info = runinfo.decode_info(given.info.read_bytes())
    with tempfile.TemporaryDirectory() as scratch:
        submit(info, given.engine, Connection(given.bootstrap_servers), given.late, ON_CLUSTER, Path(scratch))


if __name__ == "__main__":
    main()
