"""Following runs: a command is run for the newest run, and again for the next one; old events can be forgotten."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from joinstorm.follow.following import Following
from joinstorm.follow.forgetting import forget, owner
from joinstorm.follow.runlist import RunList
from joinstorm.follow.tombstones import run_of
from joinstorm.oracle.answers import ask
from joinstorm.oracle.publishing import publish
from joinstorm.run.supervisor import joinstorm
from producers.replay.opening import open_run, run_info
from producers.replay.topiccreation import ensure_topics
from producers.tape.tapefile import Tape
from streams.contract.names import TRUTH
from streams.contract.topics import Topics, TopicSpec
from streams.errors import BrokerError
from streams.kafka.admin import open_admin
from streams.kafka.connection import Connection
from streams.kafka.topicreader import read_all
from streams.read.follower import TOPICS
from streams.read.reader import ResultReader
from tests.streaming import until
from tests.tinytape import tiny_tape

pytestmark = pytest.mark.integration
SECONDS = 60.0


@pytest.fixture
def prefix(unique_run: str) -> str:
    """Return a prefix of this test's own: other tests' runs are not the newest here."""
    return f"{unique_run}."


@pytest.fixture
def tape(tmp_path: Path) -> Tape:
    """Return a small night."""
    return tiny_tape(tmp_path / "tape.parquet")


@pytest.fixture
def following(kafka: Connection, prefix: str, tape: Tape, tmp_path: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """Start ``joinstorm follow truth TAPE``, before there is any run."""
    options = ["--bootstrap-servers", kafka.bootstrap_servers, "--topic-prefix", prefix, "--keep-runs", "1"]
    beat = ["--heartbeat", str(tmp_path / "alive")]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            joinstorm("follow", *options, *beat, "truth", str(tape.path)), stderr=log, stdout=log
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(SECONDS)


def test_each_run_gets_its_truth_and_old_events_are_forgotten(
    kafka: Connection, prefix: str, tape: Tape, tmp_path: Path, following: "subprocess.Popen[bytes]"
) -> None:
    """The command is started for every run in turn; with --keep-runs 1 only the newest run keeps its events."""
    for run in ("one", "two"):
        open_run(kafka, tape.info, run=run, prefix=prefix)
        with ResultReader(kafka, prefix=prefix, run=run) as reader:
            reader.wait_until_drained([TRUTH], SECONDS)
    log = (tmp_path / "log").read_text()
    assert f"run one: truth {tape.path}" in log
    assert following.poll() is None, log
    assert (tmp_path / "alive").exists()
    with contextlib.closing(open_admin(kafka)) as admin:
        gone = f"{prefix}space.presence.one"
        until(lambda: gone not in admin.list_topics(), "the first run's events are forgotten", SECONDS)
        assert f"{prefix}space.presence.two" in admin.list_topics()


def test_once_is_about_the_newest_run_and_has_the_commands_exit_code(
    kafka: Connection, prefix: str, tape: Tape
) -> None:
    """The newest run is taken, and what the command says by its exit code is passed on."""
    for run in ("old", "new"):
        open_run(kafka, tape.info, run=run, prefix=prefix)
    lines: list[str] = []
    assert Following(["truth", str(tape.path)], kafka, prefix, notify=lines.append).once() == 0
    assert lines == [f"run new: truth {tape.path}"]
    assert Following(["truth", "no such tape"], kafka, prefix, notify=lines.append).once() == 2


@pytest.mark.parametrize(
    ("topic", "run"),
    [
        ("changelog__mine.night-2.quix--mine.quix.partitions.night-2--default", "night-2"),
        ("mine.joinstorm-faust-tables-night-audience-changelog", "night"),
        ("mine.joinstorm-faust-tables-night-2-audience-changelog", "night-2"),
        ("mine.night-2.my-own-name-counts-changelog", "night-2"),
        ("mine.night.counts", None),
        ("quix.partitions.night", None),
        ("mine.quix.partitions.nights", None),
        ("mine.copy-of.night", None),
        ("results.audience", None),
    ],
)
def test_an_engines_own_topic_is_known_by_its_name(tape: Tape, topic: str, run: str | None) -> None:
    """It has the prefix, the run's whole id and an engine's name in it; any other topic belongs to another program."""
    runs = [
        run_info(tape.info, Topics(name, "mine."), partitions=1, window_ms=5_000, watermark_step_ms=5_000)
        for name in ("night", "night-2")
    ]
    found = owner(topic, runs)
    assert (None if found is None else found.run) == run


def test_forgetting_is_for_runs_that_are_not_kept(kafka: Connection, prefix: str, tape: Tape) -> None:
    """As many runs as asked for keep their events, and forgetting again finds nothing more to do."""
    infos = [open_run(kafka, tape.info, run=run, prefix=prefix) for run in ("a", "b", "c")]
    with RunList(kafka, prefix) as runs:
        until(lambda: len(runs.runs()) == 3, "all runs are known", SECONDS)
        assert [info.run for info in runs.runs()] == ["a", "b", "c"]
    in_between = [f"{prefix}quix.partitions.{run}" for run in ("a", "b")]
    ensure_topics(kafka, [], [TopicSpec(name, 1) for name in in_between], 1)
    own = [f"{prefix}{base}.a" for base in ("checkpoints", "quix.partitions", "space.presence", "tweets")]
    assert forget(kafka, infos, keep=2) == own
    assert forget(kafka, infos, keep=5) == []
    with RunList(kafka, prefix) as runs:  # a run that is forgotten is none that would have to be forgotten again
        until(lambda: [info.run for info in runs.runs()] == ["b", "c"], "the run is forgotten", SECONDS)


def test_forgotten_runs_leave_nothing_in_the_topics_of_all(kafka: Connection, prefix: str, tape: Tape) -> None:
    """Every record of an old run gets a tombstone; those of the run that is kept, and of other prefixes, stay."""
    infos = [open_run(kafka, tape.info, run=run, prefix=prefix) for run in ("old", "new")]
    other = open_run(kafka, tape.info, run="old", prefix=f"{prefix}other.")
    for info in (*infos, other):
        publish(kafka, info, ask(tape.path, info).records(info))
    topics = [infos[0].topics[base] for base in TOPICS]
    before = newest(kafka, topics)
    forget(kafka, infos, keep=1)
    after = newest(kafka, topics)
    mine = {key for key in before if run_of(key[1]) == "old"}
    assert len(mine) > 100
    assert {key for key, value in after.items() if value is None} == mine
    assert {key: value for key, value in before.items() if key not in mine}.items() <= after.items()
    assert None not in newest(kafka, [other.topics[base] for base in TOPICS]).values()


def newest(kafka: Connection, topics: list[str]) -> dict[tuple[str, bytes], bytes | None]:
    """Return the newest value of every key, by topic."""
    return {(record.topic, record.key): record.value for record in read_all(kafka, *topics)}


def test_nobody_at_the_address_is_said() -> None:
    """Without a broker it ends with an error that names the address."""
    with pytest.raises(BrokerError, match=r"127\.0\.0\.1:1"):
        RunList(Connection("127.0.0.1:1"), answer_seconds=0.5).__enter__()
