"""The Flink job as a program: it submits the SQL of ``statements/`` to a Flink.

The engine calls it. It can also be submitted to a cluster with Flink's own command, with the record of ``run.info`` in
a file (docs/engines.md has the command):

    flink run --python job.py --jarfile CONNECTOR.jar --info info.json --bootstrap-servers HOST:PORT
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, get_args

from pyflink.table import EnvironmentSettings, TableEnvironment

from streams.contract import runinfo
from streams.contract.runinfo import RunInfo
from streams.engines.flink.sql import Late, counts_topic, statements
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
    "execution.checkpointing.interval": "1 s",
    "execution.checkpointing.min-pause": "200 ms",
    "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": "20",
    "restart-strategy.fixed-delay.delay": "1 s",
}
"""Flink settings by Flink's names; all of them can be overridden."""


def submit(info: RunInfo, engine: str, connection: Connection, late: Late, settings: Mapping[str, str]) -> Any:
    """Submit the job and return Flink's client for it.

    Args:
        info: The run.
        engine: The engine name in result keys.
        connection: The brokers, as the task managers reach them.
        late: Whether late events are counted or dropped.
        settings: Flink settings, overriding ``DEFAULTS``.
    """
    table = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    config = table.get_config()
    for name, value in {**DEFAULTS, "pipeline.name": counts_topic(info, engine), **settings}.items():
        config.set(name, value)
    *tables, job = statements(info, engine, connection, late)
    for statement in tables:
        table.execute_sql(statement)
    return table.execute_sql(job).get_job_client()


def main() -> None:
    """Submit the job to the Flink that runs this program."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--info", type=Path, required=True, help="file with the record of run.info")
    parser.add_argument("--bootstrap-servers", required=True)
    parser.add_argument("--engine", default="flink", help="engine name in result keys")
    parser.add_argument("--late", choices=get_args(Late), default="count", help="count or drop late events")
    given = parser.parse_args()
    info = runinfo.decode_info(given.info.read_bytes())
    submit(info, given.engine, Connection(given.bootstrap_servers), given.late, {})


if __name__ == "__main__":
    main()
