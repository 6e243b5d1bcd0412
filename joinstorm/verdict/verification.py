"""Waits for an engine's end and compares its counts with the truth, computed from the tape or published."""

import contextlib
from importlib.metadata import version
from typing import Final

from joinstorm.engines.catalog import entry
from joinstorm.oracle.keeping import kept_or_asked
from joinstorm.verdict.accounts import Evidence
from joinstorm.verdict.declaredfaults import copies, declared
from joinstorm.verdict.verdicts import Verdict, final_tables, judge
from producers.tape.tapefile import Tape
from streams.contract.names import TRUTH
from streams.contract.runinfo import RunInfo
from streams.errors import ContractError, DeadlineError
from streams.kafka.connection import Connection
from streams.kafka.topicreader import count_input_records
from streams.read.deadletterreader import dead_letters_of
from streams.read.derive import FinalCounts
from streams.read.reader import ResultReader
from streams.read.runview import RunView

RUN_SECONDS: Final = 30.0
"""How long to wait for the run to be opened."""


def check_tape(info: RunInfo, tape: Tape) -> None:
    """Refuse a tape other than the one the run plays.

    Raises:
        ContractError: The hashes differ.
    """
    if info.tape_sha256 != tape.info.sha256:
        played = f"{info.tape_sha256[:12]}… ({info.scenario}, scale {info.scale:g}, seed {info.seed})"
        raise ContractError(f"{tape.path}: run {info.run} plays the tape {played}, this is {tape.info.sha256[:12]}…")


def verify(reader: ResultReader, engine: str, tape: Tape | None, deadline: float) -> Verdict:
    """Wait for an engine's end and judge its counts.

    Args:
        reader: Follows the run.
        engine: Name of the engine.
        tape: The tape to compute the truth from; None uses the results of the engine ``truth``.
        deadline: Seconds to wait for the ends; an engine that has not ended by then is judged as it stands.

    Raises:
        DeadlineError: There is no run, or no truth.
        ContractError: The run plays another tape.
    """
    info = reader.wait_for_run(RUN_SECONDS)
    if tape is not None:
        check_tape(info, tape)
        answers = kept_or_asked(tape.path, info, tape.verify, exclude=declared(info).missing)
        truth, events = answers.tables, sum(answers.events.values())
    else:
        truth, events = published_truth(reader.wait_until_drained([TRUTH], deadline))
    with contextlib.suppress(DeadlineError):
        reader.wait_until_drained([engine], deadline)
    return judge(
        reader.snapshot(),
        engine,
        truth,
        events,
        versions={"joinstorm": version("joinstorm")},
        evidence=gathered(reader.connection, info, engine, tape),
    )


def gathered(connection: Connection, info: RunInfo, engine: str, tape: Tape | None) -> Evidence | None:
    """Return the evidence to account for a run's declared faults; None where it has none.

    Args:
        connection: Where the broker is.
        info: The run.
        engine: The engine to be judged.
        tape: Without it, damaged copies are only counted, not compared with the dead letters byte for byte.

    Raises:
        BrokerError: The topics cannot be read.
        TapeError: The tape cannot be read.
    """
    if info.faults is None:
        return None
    dead_letters = dead_letters_of(connection, info, engine) if entry(engine).dead_letters else None
    sent = None if tape is None else list(copies(tape, info))
    return Evidence(declared(info), count_input_records(connection, info), dead_letters, sent)


def published_truth(view: RunView) -> tuple[FinalCounts, int]:
    """Return the published truth, and its number of events."""
    truth = view.engines[TRUTH]
    return final_tables(truth), sum(truth.covered.events.values())
