"""The whole proof of boards and rules, as ``joinstorm dashboards check`` runs it."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from dashboards import build, lint, rules, stored
from joinstorm.boardproof import check
from joinstorm.boardproof import ruleproof as rule_proof
from joinstorm.boardproof.findings import Alterations, ProofReport
from joinstorm.boardproof.mutants import siblings
from joinstorm.boardproof.proofnight import SCRAPE_SECONDS, ProofNight
from joinstorm.prometheus.server import Prometheus
from producers.recording import record
from producers.scenario.loading import load
from streams.errors import JoinstormError
from streams.metrics.definitions import EXPORTER_METRICS, WORKER_METRICS
from streams.system.scratch import scratch

SERVED: Final = (*EXPORTER_METRICS, *WORKER_METRICS)
SCENARIO, SCALE, SEED = "launch", 0.01, 1
"""The night the boards are proven on if no tape is given."""
LOOKBACK: Final = f"{SCRAPE_SECONDS - 1}s"
"""Shorter than a scrape interval: what is not there at a moment is not there."""

Tell = Callable[[str], None]
"""Told what is being done."""


def prove(tape: Path | None = None, *, mutate: bool = False, tell: Tell = lambda _: None) -> ProofReport:
    """Check files, rules and, on a night in a real Prometheus, every query; with ``mutate`` alter them all.

    Args:
        tape: The night to prove them on; a small one is recorded if not given. It has to melt and to have a thread.
        mutate: Also alter every query and rule, one place at a time, and count what goes unnoticed.
        tell: Told what is being done.

    Raises:
        EnvironmentMissingError: prometheus or promtool is not installed.
        TapeError: The tape cannot be read.
    """
    report = ProofReport()
    _look(report, tell)
    with scratch("boards") as folder:
        if tape is None:
            tell(f"recording {SCENARIO}, scale {SCALE:g}, seed {SEED}")
            tape = record(load(SCENARIO), folder / "tape.parquet", scale=SCALE, seed=SEED).path
        _ask(report, folder, tape, mutate=mutate, tell=tell)
    if mutate:
        tell("altering every rule")
        hunt = rule_proof.hunt(siblings(SERVED, [rule.name for rule in rules.RECORDINGS]))
        report.rule_mutants = Alterations(hunt.tried, [str(one) for one in hunt.survivors])
    return report


def _look(report: ProofReport, tell: Tell) -> None:
    """Check what needs no night."""
    tell("comparing generated files with the code")
    boards = stored.boards()
    report.stale = build.differing(stored.HERE, build.files())
    report.findings = [str(finding) for finding in lint.lint(boards, SERVED)]
    report.unshown = sorted(lint.unused(boards, SERVED))
    tell("testing the rules with promtool")
    try:
        rule_proof.check_rules()
    except JoinstormError as error:
        if error.retriable or error.exit_code != JoinstormError.exit_code:
            raise
        report.rules = str(error)


def _ask(report: ProofReport, folder: Path, tape: Path, *, mutate: bool, tell: Tell) -> None:
    """Put the night into a Prometheus and ask it everything."""
    tell("putting the night into Prometheus")
    night = ProofNight.of_tape(tape)
    check.store(night, folder)
    with Prometheus(folder, lookback=LOOKBACK) as prometheus:
        proof = check.Proof(night, prometheus, stored.boards())
        report.queries = len(proof.queries)
        tell("asking every query at every moment")
        report.mismatches = [str(one) for one in proof.mismatches()]
        if mutate:
            tell("altering every query")
            hunt = proof.hunt(siblings(SERVED))
            report.query_mutants = Alterations(hunt.tried, [str(one) for one in hunt.survivors])
