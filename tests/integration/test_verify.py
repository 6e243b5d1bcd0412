"""The truth on a real broker, and the commands that publish it and hold an engine against it."""

import json
from pathlib import Path

import pytest

from joinstorm.cli import main
from joinstorm.oracle import answers as oracle
from joinstorm.oracle.publishing import publish
from producers.replay.opening import open_run
from producers.tape.tapefile import Tape
from streams.contract.names import TRUTH
from streams.contract.results import Progress, Result
from streams.contract.runinfo import RunInfo
from streams.errors import EXIT_ENVIRONMENT, EXIT_FAILED, EXIT_OK, EXIT_USAGE, BrokerError
from streams.kafka.connection import Connection
from streams.read.reader import ResultReader
from tests.tinytape import tiny_tape

pytestmark = pytest.mark.integration
SECONDS = 30.0


@pytest.fixture
def tape(tmp_path: Path) -> Tape:
    """Return a tiny tape."""
    return tiny_tape(tmp_path / "tiny.tape")


@pytest.fixture
def info(kafka: Connection, tape: Tape, unique_run: str) -> RunInfo:
    """Open a run of the tiny tape under a prefix of this test alone."""
    return open_run(kafka, tape.info, run=unique_run, prefix=f"{unique_run}.", partitions=2)


def options(kafka: Connection, info: RunInfo) -> list[str]:
    """Return the options that lead to a run."""
    return ["--bootstrap-servers", kafka.bootstrap_servers, "--topic-prefix", info.prefix, "--run", info.run]


def records_of(engine: str, tape: Tape, info: RunInfo) -> list[Result | Progress]:
    """Return the true results under an engine's name."""
    import msgspec  # noqa: PLC0415 - here alone

    return [msgspec.structs.replace(one, engine=engine) for one in oracle.ask(tape.path, info).records(info)]


def test_the_published_truth_is_the_truth(
    kafka: Connection, tape: Tape, info: RunInfo, capsys: pytest.CaptureFixture[str]
) -> None:
    """What readers sum up from the topics has the digest that was asked of the tape."""
    assert main(["truth", str(tape.path), *options(kafka, info), "--format", "json"]) == EXIT_OK
    output = json.loads(capsys.readouterr().out)
    assert output["events"] == tape.info.events
    assert main(["verify", *options(kafka, info), "--engine", TRUTH, "--format", "json"]) == EXIT_OK
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["exact"]
    assert verdict["digest"] == output["digest"]
    assert verdict["events"] == tape.info.events


def test_verify_against_the_tape_and_write_it_down(
    kafka: Connection, tape: Tape, info: RunInfo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a tape no published truth is needed; the same verdict goes to stdout and into the file."""
    publish(kafka, info, records_of("e", tape, info))
    out = tmp_path / "verdict.json"
    arguments = ["verify", *options(kafka, info), "--engine", "e", "--tape", str(tape.path), "--out", str(out)]
    assert main(arguments) == EXIT_OK
    assert capsys.readouterr().out.startswith("exact: e, ")
    assert json.loads(out.read_text())["exact"]


def test_verify_fails_when_a_count_differs_or_the_end_is_missing(
    kafka: Connection, tape: Tape, info: RunInfo, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, the difference and the missing end named, within the deadline."""
    first, *rest = records_of("e", tape, info)
    assert not isinstance(first, Progress)
    publish(kafka, info, [one for one in rest if not isinstance(one, Progress)])
    arguments = ["verify", *options(kafka, info), "--engine", "e", "--tape", str(tape.path), "--deadline", "1"]
    assert main(arguments) == EXIT_FAILED
    output = capsys.readouterr().out
    assert output.startswith("NOT exact: e")
    assert "e has not ended on space.presence[0]" in output
    assert f"expected {next(iter(first.counts.values()))}, found 0" in output


def test_another_runs_tape_is_refused(
    kafka: Connection, info: RunInfo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A verdict against a tape that was not played would mean nothing."""
    other = tiny_tape(tmp_path / "other.tape", seed=1)
    assert main(["truth", str(other.path), *options(kafka, info)]) == EXIT_USAGE
    assert f"run {info.run} plays the tape" in capsys.readouterr().err


def test_nobody_answers(tape: Tape, info: RunInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address without a broker is an error that names it, for the command and for the publisher."""
    monkeypatch.setattr("streams.read.reader.CONNECT_SECONDS", 0.5)
    monkeypatch.setattr("streams.kafka.patience.WAIT_SECONDS", 0.5)
    assert main(["verify", "--bootstrap-servers", "127.0.0.1:9"]) == EXIT_ENVIRONMENT
    with pytest.raises(BrokerError, match=r"127\.0\.0\.1:9"):
        publish(Connection("127.0.0.1:9"), info, records_of("e", tape, info))


def test_several_partitions_keep_the_order_per_key(kafka: Connection, tape: Tape, info: RunInfo) -> None:
    """The publisher reads back whole, whatever came before under the same keys."""
    records = records_of("e", tape, info)
    assert publish(kafka, info, [*records, *records]) == 2 * len(records)
    with ResultReader(kafka, prefix=info.prefix, run=info.run) as reader:
        view = reader.wait_until_drained(["e"], SECONDS)
    assert view.engines["e"].results.tables().audience == oracle.ask(tape.path, info).audience
