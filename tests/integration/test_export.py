"""The exporter as a process of its own, against a real broker."""

import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from joinstorm.cli import main
from joinstorm.oracle import answers as oracle
from joinstorm.oracle.publishing import publish
from joinstorm.run.supervisor import joinstorm
from producers.replay.opening import open_run
from streams.contract.topics import RESULTS_PROGRESS
from streams.errors import EXIT_ENVIRONMENT, EXIT_INTERRUPTED
from streams.kafka.connection import Connection
from tests.streaming import until
from tests.tinytape import tiny_tape

pytestmark = pytest.mark.integration
SECONDS = 30.0


@contextmanager
def exporting(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run the command; yield the address it says and the process."""
    process = subprocess.Popen(joinstorm("export", "--port", "0", *options), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
    finally:
        process.kill()
        process.communicate()


def sample(url: str, name: str, **labels: str) -> float | None:
    """Return the first sample of a name, with these labels, on the page."""
    text = urllib.request.urlopen(url).read().decode()
    samples = (one for family in text_string_to_metric_families(text) for one in family.samples if one.name == name)
    return next((one.value for one in samples if labels.items() <= one.labels.items()), None)


def test_the_page_follows_a_run_that_is_opened_later(kafka: Connection, unique_run: str, tmp_path: Path) -> None:
    """Started before the run, it serves the run's values once they are there, and ends on SIGTERM."""
    prefix = f"{unique_run}."
    tape = tiny_tape(tmp_path / "tiny.tape")
    with exporting("--bootstrap-servers", kafka.bootstrap_servers, "--topic-prefix", prefix) as (url, process):
        assert sample(url, "joinstorm_run_info") is None
        until(lambda: sample(url, "joinstorm_broker_up") == 1, "a broker that answers")
        info = open_run(kafka, tape.info, run=unique_run, prefix=prefix, partitions=2)
        truth = oracle.ask(tape.path, info)
        publish(kafka, info, truth.records(info))
        until(lambda: sample(url, "joinstorm_engine_ended") == 1, "the end of the run")
        assert sample(url, "joinstorm_engine_progress_ratio") == 1
        written = {"topic": RESULTS_PROGRESS}
        until(lambda: bool(sample(url, "joinstorm_broker_written_records_total", **written)), "records in the topic")
        assert sample(url, "joinstorm_broker_unhealthy_partitions") == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == EXIT_INTERRUPTED


def test_a_taken_port_names_the_option(kafka: Connection, unique_run: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 3, and the text says how to choose another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        where = ["--bootstrap-servers", kafka.bootstrap_servers, "--topic-prefix", f"{unique_run}."]
        assert main(["export", "--port", port, *where]) == EXIT_ENVIRONMENT
    assert "--port" in capsys.readouterr().err


def test_no_broker_no_exporter(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 3 and the address nobody answers at."""
    monkeypatch.setattr("streams.read.reader.CONNECT_SECONDS", 0.5)
    assert main(["export", "--bootstrap-servers", "127.0.0.1:9"]) == EXIT_ENVIRONMENT
    assert "127.0.0.1:9" in capsys.readouterr().err
