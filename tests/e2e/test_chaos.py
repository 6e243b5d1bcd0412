"""Faults against a running job, as a user deals them: a short version of ``joinstorm chaos``."""

import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

TINY = ["--scale", "0.002", "--speed", "2400", "--format", "json"]


def chaos(*options: str) -> tuple[int, list[dict[str, object]], str]:
    """Run the command; return its exit code, its lines and what it said on stderr."""
    command = [sys.executable, "-m", "joinstorm.cli", "chaos", *TINY, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_three_schedules_leave_the_digest_as_it_is() -> None:
    """Three seeds, a night with declared faults of its own: every digest is the clean one, every fault is got over."""
    faults = ("duplicate=0.1", "out-of-order=0.1:5m", "corrupt=0.01")
    declared = [word for fault in faults for word in ("--fault", fault)]
    code, lines, said = chaos("--runs", "3", "--seed", "1", *declared)
    assert code == 0, (lines, said)
    *runs, total = lines
    assert (total["runs"], total["exact"], total["lost"], total["twice"]) == (3, 3, 0, 0)
    assert len({run["digest"] for run in runs}) == 1
    for run in runs:
        dealt = run["dealt"]
        assert isinstance(dealt, list)
        assert len(dealt) >= 3
        assert any(one["recovered"] for one in dealt)
    assert 0 < total["recovery_median"] <= total["recovery_max"]  # type: ignore[operator] # JSON's numbers


def test_the_baseline_engine_shows_its_loss_in_numbers() -> None:
    """Stock Faust with two kills: the answer is no, how many events are lost or counted twice, and how to repeat it."""
    engine = "--engine", "faust-tables", "--scale", "0.001"  # it is slow
    code, (run, total), said = chaos(
        *engine, "--runs", "1", "--no-shrink", "--faults", "0.2:kill-worker,0.5:kill-worker"
    )
    assert code == 1, said
    loss = run["loss"]
    assert isinstance(loss, dict)
    assert loss["lost"] + loss["twice"] > 0
    assert (total["lost"], total["twice"]) == (loss["lost"], loss["twice"])
    assert f"{loss['lost']:,} of {loss['events']:,} events lost" in str(run["problem"])
    assert "repeat with: joinstorm chaos launch" in said
    assert "--faults 0.20:kill-worker,0.50:kill-worker" in said


def test_a_cluster_and_its_network_may_fail() -> None:
    """A leader is killed, brokers are restarted in turn, connections are cut and half-open: nothing is lost."""
    faults = "0.1:kill-leader:2,0.3:cut-network:2,0.5:half-open,0.6:slow-network:2,0.7:rolling-restart"
    code, (run, total), said = chaos("--brokers", "3", "--network", "--runs", "1", "--no-shrink", "--faults", faults)
    assert code == 0, (run, said)
    assert total["exact"] == 1
    dealt = run["dealt"]
    assert isinstance(dealt, list)
    assert len(dealt) == 5
    assert any(one["recovered"] for one in dealt)


def test_one_broker_behind_a_proxy_may_fail() -> None:
    """The proxy needs no cluster; the broker is killed while the network is slow."""
    faults = "0.2:slow-network:4,0.21:kill-broker:1,0.6:cut-network:1"
    code, (run, total), said = chaos("--network", "--runs", "1", "--no-shrink", "--faults", faults)
    assert code == 0, (run, said)
    assert total["exact"] == 1


def test_faults_at_the_end_of_the_night_end_too() -> None:
    """The exporter and the broker are killed when all is counted: the broker comes back, and the exporter serves."""
    code, (run, total), said = chaos("--runs", "1", "--no-shrink", "--faults", "0.99:kill-exporter,1:kill-broker:2")
    assert code == 0, (run, said)
    assert total["exact"] == 1
    dealt = run["dealt"]
    assert isinstance(dealt, list)
    assert [one["fault"] for one in dealt] == ["0.99:kill-exporter", "1.00:kill-broker:2"]


def test_a_producer_is_waited_for_while_faults_end() -> None:
    """It is killed and starts again when all is counted, and the broker that it needs comes back."""
    code, (run, total), said = chaos("--runs", "1", "--no-shrink", "--faults", "1:kill-producer,1:stop-broker:1")
    assert code == 0, (run, said)
    assert total["exact"] == 1
