"""What the boards show is what happened: a night in a real Prometheus, every query against the oracle."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner

from dashboards import promql, rules, stored
from joinstorm.boardproof import check
from joinstorm.boardproof import ruleproof as rule_proof
from joinstorm.boardproof.mutants import substitutes
from joinstorm.boardproof.proofnight import ProofNight
from joinstorm.boardproof.wholeproof import LOOKBACK, SERVED
from joinstorm.cli import cli
from joinstorm.prometheus.remotewrite import RemoteWriter, receiver
from joinstorm.prometheus.server import RECEIVING, Prometheus
from producers.recording import record
from producers.scenario.loading import load
from streams.contract.names import MINUTE_MS
from tests.conftest import need_program

ONCE: Final = "module"


@pytest.fixture(scope=ONCE, autouse=True)
def prometheus_is_there() -> None:
    """Skip what needs Prometheus where it is not installed, with the way to get it."""
    need_program("prometheus", "promtool")


@pytest.fixture(scope=ONCE)
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small night that melts."""
    return record(load("launch"), tmp_path_factory.mktemp("tape") / "tape.parquet", scale=0.01, seed=1).path


@pytest.fixture(scope=ONCE)
def night(tape: Path) -> ProofNight:
    """Return the night with its three engines."""
    return ProofNight.of_tape(tape)


@pytest.fixture(scope=ONCE)
def prometheus(night: ProofNight, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Return a Prometheus that has the night."""
    folder = tmp_path_factory.mktemp("prometheus")
    check.store(night, folder)
    with Prometheus(folder, RECEIVING, LOOKBACK) as running:
        RemoteWriter(receiver(running.url)).write(night.event_time_series())
        yield running


@pytest.fixture(scope=ONCE)
def proof(night: ProofNight, prometheus: Prometheus) -> check.Proof:
    """Return the proof over the committed boards."""
    return check.Proof(night, prometheus, stored.boards())


def test_every_query_answers_what_the_oracle_says(proof: check.Proof) -> None:
    """Every panel and annotation, at a moment inside each phase and at the end, for several engines and rooms."""
    assert [str(mismatch) for mismatch in proof.mismatches()] == []


def test_every_altered_query_is_found(proof: check.Proof) -> None:
    """Emptying or altering any one query, in any one place, shows in an answer."""
    mutation = proof.mutate(substitutes(SERVED))
    assert mutation.tried > 500
    assert mutation.survivors == []


def test_a_panel_nobody_wrote_an_answer_for_is_a_mismatch(night: ProofNight, prometheus: Prometheus) -> None:
    """A new panel cannot slip in unproven; nor can one that answers nothing anywhere."""
    boards: dict[str, dict[str, Any]] = {"joinstorm-launch": copy.deepcopy(stored.boards()["joinstorm-launch"])}
    panel = boards["joinstorm-launch"]["panels"][1]
    panel["title"] = "Unheard of"
    (mismatch,) = check.Proof(night, prometheus, boards).mismatches()
    assert "no expected answer" in str(mismatch)


def test_variables_offer_what_there_is(night: ProofNight, prometheus: Prometheus) -> None:
    """Engines and rooms of the night, all of them and nothing else."""
    at = night.moments()[2][1] / 1000
    for label, wanted in (("engine", {"truth", "faust", "faust-tables"}), ("space", set(night.info.spaces))):
        selectors = {
            variable["query"]["query"].removeprefix("label_values(").removesuffix(f", {label})")
            for board in stored.boards().values()
            for variable in board["templating"]["list"]
            if variable["name"] == label
        }
        for selector in selectors:
            query = promql.fill(f"count by ({label}) ({selector})", {"run": night.info.run})
            answer = prometheus.query(query, at)
            assert {dict(labels)[label] for labels in answer} == wanted


def test_rules_pass_their_tests_and_every_altered_rule_fails_them() -> None:
    """Silent and then firing, by promtool; no alteration of any rule goes unnoticed."""
    assert "SUCCESS" in rule_proof.check_rules()
    mutation = rule_proof.mutate(substitutes(SERVED, [rule.name for rule in rules.RECORDINGS]))
    assert mutation.tried > 200
    assert mutation.survivors == []


def test_backfill_puts_the_night_at_its_real_dates(tape: Path, night: ProofNight, tmp_path: Path) -> None:
    """Blocks made by the command, and a Prometheus it writes to, answer at moments of May 2023 what the oracle says."""
    done = CliRunner().invoke(cli, ["backfill", str(tape), "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "--storage.tsdb.retention.time=20y" in done.output
    with Prometheus(tmp_path, lookback="75s") as running:
        assert_oracle(running, night)
    with Prometheus(tmp_path / "remote", RECEIVING) as running:
        done = CliRunner().invoke(cli, ["backfill", str(tape), "--remote-write", running.url])
        assert done.exit_code == 0, done.output
        assert "/d/joinstorm-launch?from=" in done.output
        assert_oracle(running, night)


def assert_oracle(prometheus: Prometheus, night: ProofNight) -> None:
    """Compare the audience at a full minute of every phase."""
    truth = night.counted["truth"]
    for at in (moment - (moment - night.info.start) % MINUTE_MS for _, moment in night.moments()):
        answer = prometheus.query('joinstorm_event_time_audience_listeners{engine="truth"}', at / 1000)
        shown = {dict(labels)["space"]: value for labels, value in answer.items()}
        assert shown == {space: truth.audience_at(space, at) for space in night.info.spaces}
