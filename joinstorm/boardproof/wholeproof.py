"""The whole proof of boards and rules, as run by ``joinstorm dashboards check``."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from dashboards import build, lint, rules, stored
from joinstorm.boardproof import check
from joinstorm.boardproof import ruleproof as rule_proof
from joinstorm.boardproof.findings import ProofReport
from joinstorm.boardproof.mutants import substitutes
from joinstorm.boardproof.proofnight import SCRAPE_SECONDS, ProofNight
from joinstorm.prometheus.remotewrite import RemoteWriter, receiver
from joinstorm.prometheus.server import RECEIVING, Prometheus
from producers.recording import record
from producers.scenario.loading import load
from streams.errors import JoinstormError
from streams.metrics.definitions import EVENT_TIME_METRICS, EXPORTER_METRICS, WORKER_METRICS
from streams.metrics.receiver import RECEIVER_METRICS
from streams.system.scratch import scratch

SERVED: Final = (*EXPORTER_METRICS, *WORKER_METRICS, *RECEIVER_METRICS, *EVENT_TIME_METRICS)
SCENARIO, SCALE, SEED = "launch", 0.01, 1
"""The night of the proof if no tape is given."""
LOOKBACK: Final = f"{SCRAPE_SECONDS - 1}s"
"""Shorter than a scrape interval, so that no sample outlives its scrape."""

Notify = Callable[[str], None]
"""Called with a line about what is being done."""


def prove(tape: Path | None = None, *, mutate: bool = False, notify: Notify = lambda _: None) -> ProofReport:
    """Check files, rules and, on a night in a real Prometheus, every query; with ``mutate`` also their mutants.

    Args:
        tape: The night of the proof; a small one is recorded if not given. It must melt and have a thread.
        mutate: Whether to run every mutant of every query and rule as well.
        notify: Called with a line about what is being done.

    Raises:
        EnvironmentMissingError: prometheus or promtool is not installed.
        TapeError: The tape cannot be read.
    """
    report = ProofReport()
    _check_files(report, notify)
    with scratch("boards") as folder:
        if tape is None:
            notify(f"recording {SCENARIO}, scale {SCALE:g}, seed {SEED}")
            tape = record(load(SCENARIO), folder / "tape.parquet", scale=SCALE, seed=SEED).path
        _check_queries(report, folder, tape, mutate=mutate, notify=notify)
    if mutate:
        notify("mutating every rule")
        report.rule_mutants = rule_proof.mutate(substitutes(SERVED, [rule.name for rule in rules.RECORDINGS]))
    return report


def _check_files(report: ProofReport, notify: Notify) -> None:
    """Check the files and the rules, which need no night."""
    notify("comparing generated files with the code")
    boards = stored.boards()
    report.stale = build.differing(stored.HERE, build.files())
    report.findings = [str(finding) for finding in lint.lint(boards, SERVED)]
    report.unshown = sorted(lint.unused(boards, SERVED))
    notify("testing the rules with promtool")
    try:
        rule_proof.check_rules()
    except JoinstormError as error:
        if error.retriable or error.exit_code != JoinstormError.exit_code:
            raise
        report.rules = str(error)


def _check_queries(report: ProofReport, folder: Path, tape: Path, *, mutate: bool, notify: Notify) -> None:
    """Load the night into a Prometheus and check every query."""
    notify("loading the night into Prometheus")
    night = ProofNight.of_tape(tape)
    check.store(night, folder)
    with Prometheus(folder, RECEIVING, LOOKBACK) as prometheus:
        RemoteWriter(receiver(prometheus.url)).write(night.event_time_series())
        proof = check.Proof(night, prometheus, stored.boards())
        report.queries = len(proof.queries)
        notify("running every query at every moment")
        report.mismatches = [str(one) for one in proof.mismatches()]
        if mutate:
            notify("mutating every query")
            report.query_mutants = proof.mutate(substitutes(SERVED))
