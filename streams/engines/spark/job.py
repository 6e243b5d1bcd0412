"""The Spark job as a program for ``spark-submit``, with the record of ``run.info`` in a file (see docs/engines.md)."""

import argparse
from pathlib import Path

from pyspark.sql import SparkSession

from streams.contract import runinfo
from streams.contract.topics import RESULTS_PROGRESS
from streams.engines.abstract import WorkerSettings
from streams.engines.shared.stopping import RunEnd, stop_signals
from streams.engines.shared.topicreading import read_to_end
from streams.engines.spark import query
from streams.engines.spark.options import QUERY, TRIGGER
from streams.kafka.connection import Connection


def main() -> None:
    """Count a run with the Spark that runs this program; returns at its end."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--info", type=Path, required=True, help="file with the record of run.info")
    parser.add_argument("--bootstrap-servers", required=True)
    parser.add_argument("--checkpoint", required=True, help="folder that driver and executors reach, as path or URL")
    parser.add_argument("--engine", default="spark", help="engine name in result keys")
    parser.add_argument("--trigger", default="1s", help="shortest time from one micro-batch to the next")
    given = parser.parse_args()
    info = runinfo.decode_info(given.info.read_bytes())
    settings = WorkerSettings(Connection(given.bootstrap_servers), info, given.engine, options={TRIGGER: given.trigger})
    session = SparkSession.builder.getOrCreate()
    for name, value in QUERY.items():
        session.conf.set(name, value)
    end = RunEnd(info, given.engine)
    read_to_end(settings, RESULTS_PROGRESS, end.accept)
    with stop_signals() as stop:
        query.play(session, settings, given.checkpoint, query.Publisher(settings, end), stop)


if __name__ == "__main__":
    main()
