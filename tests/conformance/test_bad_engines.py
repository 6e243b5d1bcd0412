"""Programs that are no engines: each is reported with the end of its log and in time, and the others go on."""

import shlex
import sys
from pathlib import Path

import pytest

from joinstorm.cli import main
from joinstorm.compare.tournament import CompareRequest, Tournament
from joinstorm.conformance.certificate import PointOutcome, choose, play
from joinstorm.engines.catalog import engine_under_test
from joinstorm.engines.undertest import EngineUnderTest
from streams.errors import EXIT_USAGE
from streams.golden import load
from streams.kafka.connection import Connection
from tests.conformance.base import shown_outcome
from tests.tinytape import tiny_tape

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
SECONDS = 6.0
CRASHES = "import sys; sys.exit('cannot find my configuration')"
ENDS = "print('nothing to do', flush=True)"
HANGS = "import time; print('reading my manual', flush=True); time.sleep(600)"
BABBLES = """
import json, os, time
from kafka import KafkaProducer
info = json.loads(os.environ["JOINSTORM_RUN_INFO"])
producer = KafkaProducer(bootstrap_servers=os.environ["JOINSTORM_BOOTSTRAP_SERVERS"])
key = json.dumps([info["run"], os.environ["JOINSTORM_ENGINE"], 0, "room-a", "0"], separators=(",", ":")).encode()
producer.send(info["topics"]["results.audience"], b"so many people!", key=key)
producer.flush()
print("wrote garbage", flush=True)
time.sleep(600)
"""


def program(folder: Path, name: str, text: str) -> EngineUnderTest:
    """Return a Python script as the suite takes an engine."""
    script = folder / f"{name}.py"
    script.write_text(text)
    command = f"{shlex.quote(sys.executable)} {shlex.quote(str(script))}"
    return EngineUnderTest(name, ["--engine", "external", "--option", f"command={command}"], seconds=SECONDS)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("crashes", CRASHES, ["ended with exit code 1", "cannot find my configuration"]),
        ("ends", ENDS, ["ended with exit code 0 before the run was done", "nothing to do"]),
        ("hangs", HANGS, [f"not within {SECONDS:g} s", "reading my manual"]),
        ("babbles", BABBLES, ["is not a valid result: not_json", "wrote garbage"]),
    ],
)
def test_a_program_without_answers_is_named(
    name: str, text: str, words: list[str], kafka: Connection, tmp_path: Path
) -> None:
    """The certificate says what happened, with the end of the program's log."""
    outcome: PointOutcome = play(
        choose(["golden-doors"])[0], kafka, program(tmp_path, name, text), load("doors"), tmp_path / "logs"
    )
    assert outcome.status == "failed"
    for word in words:
        assert word in shown_outcome(outcome)


def test_a_comparison_goes_on_without_them(kafka: Connection, tmp_path: Path) -> None:
    """An engine that fails is on the scoreboard with the reason; the others are measured."""
    bad = [program(tmp_path, "crashes", CRASHES), program(tmp_path, "hangs", HANGS)]
    request = CompareRequest(
        connection=kafka,
        engines=[*bad, engine_under_test("kafka-python")],
        tape=tiny_tape(tmp_path / "tiny.parquet").path,
        folder=tmp_path / "out",
        silence=SECONDS,
        missing={"away": "missing: joinstorm engines install away"},
        parts=(),
    )
    tournament = Tournament(request)
    tournament.measure()
    board = tournament.scoreboard()
    scores = {score.engine: score for score in board.scores}
    assert next(iter(scores)) == "kafka-python"
    assert scores["kafka-python"].exact
    assert [turn.answer and turn.answer.digest for turn in scores["kafka-python"].turns] == [board.truth_digest]
    assert not board.exact
    assert "cannot find my configuration" in scores["crashes"].problems[0]
    assert "reported no progress for 6 s" in scores["hangs"].problems[0]
    assert "reading my manual" in scores["hangs"].problems[0]
    assert scores["away"].problems == ("missing: joinstorm engines install away",)


@pytest.mark.parametrize("command", ["conform", "compare", "run"])
def test_an_engine_nobody_knows_is_refused_at_once(
    command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Before anything is started, with the name that was probably meant."""
    arguments = {"run": ["run", "--engine", "fuast", "--out", str(tmp_path)]}.get(command, [command, "fuast"])
    assert main(arguments) == EXIT_USAGE
    assert "did you mean 'faust'" in capsys.readouterr().err
