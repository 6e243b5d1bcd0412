"""``joinstorm conform`` ended from outside: what it has played is certified, and the rest is named as not played."""

import signal
import subprocess
from pathlib import Path

import msgspec
import psutil
import pytest

from joinstorm.run.supervisor import joinstorm
from streams.errors import EXIT_INTERRUPTED
from streams.kafka.connection import Connection

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
POINTS = ("golden-doors", "golden-waiting", "golden-thread", "golden-entry", "end")


def test_what_was_played_is_kept(kafka: Connection, tmp_path: Path) -> None:
    """Exit code 130; the certificate is on stdout and in the folder; no worker is left."""
    where = ["--bootstrap-servers", kafka.bootstrap_servers, "--out", str(tmp_path)]
    points = [word for point in POINTS for word in ("--point", point)]
    command = ["conform", "kafka-python", *points, "--format", "json", *where]
    with subprocess.Popen(joinstorm(*command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            lines = iter(process.stderr.readline, "")
            assert any(POINTS[0] in line for line in lines), "the first point does not end"
            below = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == EXIT_INTERRUPTED, err
    certificate = msgspec.json.decode(out)
    played = [one["point"] for one in certificate["outcomes"] if one["status"] == "exact"]
    assert 0 < len(played) < len(POINTS)  # a point that is being played has no outcome
    assert played == list(POINTS[: len(played)])
    assert msgspec.json.decode((tmp_path / "certificate.json").read_bytes()) == certificate
    assert psutil.wait_procs(below, timeout=30)[1] == []
