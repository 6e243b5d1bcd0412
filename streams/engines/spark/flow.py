"""The engine ``spark``: one streaming query of PySpark counts, and its driver publishes after each micro-batch.

Spark plays the input in micro-batches. It writes down the offsets of a batch before it starts and keeps the state by
batch, so a batch that was interrupted is played again with the same records on the same state. The state of a partition
then depends on its records before an offset alone, and this offset is the version of its results.

One worker runs the query, in a JVM of its own or on a cluster. Others wait, and one of them takes over when it is gone.
"""

import logging
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import IO, Final

from streams.contract.progress import Covered
from streams.contract.topics import RESULTS_PROGRESS
from streams.engines.abstract import Summary, WorkerSettings
from streams.engines.shared.javacause import java_cause
from streams.engines.shared.statefolder import forget, state_folder
from streams.engines.shared.stopping import RunEnd, stop_signals
from streams.engines.shared.topicreading import already_done, read_to_end
from streams.engines.spark import query
from streams.engines.spark.jvm import Stopped
from streams.engines.spark.options import SparkOptions
from streams.engines.spark.session import LOG, session_of
from streams.engines.spark.turn import turn
from streams.errors import EngineError
from streams.kafka.security import PROTOCOLS

log = logging.getLogger(__name__)

WAIT_SECONDS: Final = 1.0
TURN: Final = "turn.lock"
CHECKPOINT: Final = "checkpoint"


def run(settings: WorkerSettings) -> Summary:
    """Work until every partition has ended or a signal asks to stop.

    Raises:
        UsageError: An option is invalid.
        EngineError: Spark does not start, or the query has failed.
        BrokerError: No broker answers.
    """
    options = SparkOptions.of(settings.options)
    if settings.connection.security.protocol != PROTOCOLS[0]:
        raise EngineError(
            f"{settings.engine}: Spark's connector is not configured for TLS and SASL; use a broker without them"
        )
    folder = state_folder(replace(settings, worker=None))  # all workers share one state
    with stop_signals() as stop:
        if not options.submit:
            return _awaited(settings, stop)
        with turn(folder / TURN, stop) as mine:
            return Summary(ended=False) if mine is None else _work(settings, folder, mine, stop)


def _awaited(settings: WorkerSettings, stop: threading.Event) -> Summary:
    """Wait for the end of a run that a separately submitted job counts."""
    ended = already_done(settings)
    while not ended and not stop.wait(WAIT_SECONDS):
        ended = already_done(settings)
    return Summary(ended=ended)


def _work(settings: WorkerSettings, folder: Path, mine: IO[str], stop: threading.Event) -> Summary:
    end = RunEnd(settings.info, settings.engine)
    read_to_end(settings, RESULTS_PROGRESS, end.accept)
    options = SparkOptions.of(settings.options)
    before, publisher = end.covered(), query.Publisher(settings, end)
    if not end.reached:
        try:
            with session_of(options, settings.info, folder, mine, stop) as session:
                query.play(session, settings, folder / CHECKPOINT, publisher, stop)
        except (EngineError, Stopped) as error:
            if not stop.is_set():
                raise
            log.debug("stopped: %s", error)
        except Exception as error:  # of PySpark, of py4j and of sockets
            if not stop.is_set():
                raise EngineError(f"spark: {java_cause(error)}; see {folder / LOG}") from error
    if end.reached:
        forget(folder)
    return _summary(before, end.covered(), publisher)


def _summary(before: Covered, after: Covered, publisher: query.Publisher) -> Summary:
    times = os.times()
    return Summary(
        ended=after.ended,
        events=sum(after.events.values()) - sum(before.events.values()),
        duplicates=sum(after.duplicates.values()) - sum(before.duplicates.values()),
        dead_letters=sum(after.dead_letters.values()) - sum(before.dead_letters.values()),
        seconds=max(0.0, publisher.last - publisher.first),
        cpu_seconds=times.user + times.system + times.children_user + times.children_system,
    )
