"""A secured cluster: TLS and SCRAM for both clients, and what wrong passwords, certificates and permissions say."""

import asyncio
import contextlib
import gc
import logging
import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from kafka.admin import ACLOperation, ResourceType

from joinstorm.cli import main
from joinstorm.follow.runlist import RunList
from producers.replay.opening import open_run
from producers.replay.playback import PlaybackRequest, Replay
from producers.senders.registry import CLIENTS, sender_factory
from producers.tape.tapefile import Tape
from streams.contract.runinfo import RunInfo
from streams.contract.topics import CHECKPOINTS, PRESENCE, RESULTS_AUDIENCE, RUN_INFO, TWEETS
from streams.errors import BrokerError, DeliveryError, RefusedError
from streams.kafka.admin import open_admin
from streams.kafka.connection import Connection
from streams.kafka.masking import MASK
from streams.kafka.security import CONFIG_VARIABLE
from streams.kafka.topicreader import read_all
from streams.kafka.writer import BatchWriter, OutgoingRecord
from tests.conftest import need_engine
from tests.secure import GROUP, READ, WRITE, Cluster, certificate, secured
from tests.tinytape import tiny_tape

pytestmark = [
    pytest.mark.integration,
    # kafka-python leaves the socket of a failed handshake to the garbage collector
    pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"),
    # aiokafka does not wait until the connection of a failed login is closed, nor says when it is
    pytest.mark.filterwarnings("ignore:unclosed transport <_SelectorSocketTransport:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:unclosed <socket.socket:ResourceWarning"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Yield a secured broker for all tests here."""
    with secured(tmp_path_factory.mktemp("secure")) as found:
        yield found


@pytest.fixture(autouse=True)
def swept() -> Iterator[None]:
    """Collect here, in silence, the sockets kafka-python leaves behind when a handshake fails."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_night_goes_through_tls_and_scram(cluster: Cluster, unique_run: str, tmp_path: Path, client: str) -> None:
    """Topics, run.info and every event arrive over an encrypted, logged-in connection."""
    tape = tiny_tape(tmp_path / "night.parquet", people=300)
    connection = cluster.login()
    info = open_run(connection, tape.info, run=unique_run, watermark_step_ms=60_000)
    result = Replay(tape, info, sender_factory(client, connection, paced=False), settings=PlaybackRequest()).play()
    assert (result.state, result.sent) == ("ended", tape.rows)


@pytest.mark.parametrize("client", CLIENTS)
def test_no_log_shows_the_password(
    cluster: Cluster, unique_run: str, client: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Client libraries log their configuration and requests at DEBUG: without the password."""
    for library in ("", "kafka", "aiokafka"):  # an earlier command of this process may have silenced them
        caplog.set_level(logging.DEBUG, logger=library)
    connection = cluster.login()
    tape = tiny_tape(tmp_path / "night.parquet", people=20)
    info = open_run(connection, tape.info, run=unique_run)
    Replay(tape, info, sender_factory(client, connection, paced=False), settings=PlaybackRequest()).play()
    read_all(connection, info.topics[RUN_INFO])
    assert MASK in caplog.text
    assert "sesame" not in caplog.text


def play(cluster: Cluster, run: str, folder: Path, people: int = 100) -> tuple[Tape, RunInfo]:
    """Open a run and play a small night into it, as somebody who may do everything."""
    tape = tiny_tape(folder / "night.parquet", people=people)
    info = open_run(cluster.inside, tape.info, run=run, watermark_step_ms=60_000)
    Replay(tape, info, sender_factory("aiokafka", cluster.inside, paced=False), settings=PlaybackRequest()).play()
    return tape, info


def log_in(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have commands in this process reach the broker as this connection does."""
    for name, value in connection.environ({}).items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("client", CLIENTS)
def test_the_whole_job_logs_in_by_a_file(cluster: Cluster, tmp_path: Path, client: str) -> None:
    """``joinstorm run`` and each of its processes log in by a file; no log, result or command line has the password."""
    tape = tiny_tape(tmp_path / "night.parquet", people=100)
    (tmp_path / "word").write_text("open sesame\n")
    values = {**cluster.login().security.values, "sasl.password.file": str(tmp_path / "word")}
    del values["sasl.password"]
    (tmp_path / "client.properties").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    where = ["--bootstrap-servers", cluster.address, "--topic-prefix", f"{client}.", "--replication", "1"]
    asked = ["run", "--tape", str(tape.path), "--client", client, "--out", str(tmp_path / "out"), "--no-report", *where]
    before = topics_of(cluster)
    with subprocess.Popen(
        [sys.executable, "-m", "joinstorm.cli", "-v", *asked],
        env={**os.environ, CONFIG_VARIABLE: str(tmp_path / "client.properties")},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        lines = command_lines(process)
        said = process.communicate()[0]
    assert process.returncode == 0, said
    assert {"replay", "stream", "truth"} <= {word for line in lines for word in line}
    logs = [path.read_text(errors="replace") for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(logs) >= 4
    assert not any("sesame" in text for text in [said, *logs, *map(" ".join, lines)])
    assert all(name.startswith(f"{client}.") for name in topics_of(cluster) - before)


def command_lines(process: "subprocess.Popen[str]") -> set[tuple[str, ...]]:
    """Return the command lines of a process and its children, as anybody on the machine sees them, until it ends."""
    seen: set[tuple[str, ...]] = set()
    while process.poll() is None:
        with contextlib.suppress(psutil.Error):
            parent = psutil.Process(process.pid)
            for one in (parent, *parent.children(recursive=True)):
                seen.add(tuple(one.cmdline()))
        time.sleep(0.02)
    return seen


def topics_of(cluster: Cluster) -> set[str]:
    """Return the names of all topics but Kafka's own."""
    with contextlib.closing(open_admin(cluster.inside)) as admin:
        return {name for name in admin.list_topics() if not name.startswith("__")}


@pytest.mark.parametrize("engine", ["faust", "kafka-python"])
def test_engines_readers_and_writers_log_in(
    cluster: Cluster, unique_run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    """Engine, truth, verify and dead-letters work for a user who may do no more than they need."""
    tape, info = play(cluster, unique_run, tmp_path)
    connection = cluster.user(info)
    cluster.allow(f"user-{info.run}", (ResourceType.GROUP, f"{info.run}.kafka-python", READ))
    log_in(connection, monkeypatch)
    assert_counts(engine, tape, info)
    assert main(["dead-letters", "--run", info.run]) == 0


def assert_counts(engine: str, tape: Tape, info: RunInfo) -> None:
    """Have an engine count the run and hold it to the truth, each a command that reaches the broker as told before."""
    command = [sys.executable, "-m", "joinstorm.cli", "stream", "--engine", engine, "--run", info.run]
    streamed = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert streamed.returncode == 0, streamed.stderr
    assert main(["truth", str(tape.path), "--run", info.run]) == 0
    assert main(["verify", "--run", info.run, "--engine", engine, "--deadline", "30"]) == 0


@pytest.mark.parametrize("engine", ["quix", "bytewax", "pathway"])
def test_engines_with_a_library_of_their_own_log_in(
    cluster: Cluster, unique_run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    """They reach the broker over TLS, logged in, and are exact."""
    need_engine(engine)
    tape, info = play(cluster, unique_run, tmp_path)
    log_in(cluster.login(), monkeypatch)
    assert_counts(engine, tape, info)


@pytest.mark.parametrize("client", ["admin", *CLIENTS])
def test_a_wrong_password_is_told_without_it(cluster: Cluster, client: str) -> None:
    """A wrong password: the text names the address and the reason, and does not repeat the password."""
    connection = cluster.login(password="close sesame")
    with pytest.raises(BrokerError, match=r"(?i)127\.0\.0\.1.*(authentication|credentials)") as refused:
        reach(client, connection)
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize("client", ["admin", "aiokafka"])
def test_a_wrong_certificate_is_told(cluster: Cluster, tmp_path: Path, client: str) -> None:
    """A broker whose certificate nobody vouches for is not talked to."""
    _, other = certificate(tmp_path, "somebody-else")
    with pytest.raises(BrokerError, match=r"(?i)127\.0\.0\.1.*certificate"):
        reach(client, cluster.login(ssl_ca_location=str(other)))


def reach(client: str, connection: Connection) -> None:
    """Open a client and close it."""
    if client == "admin":
        open_admin(connection, seconds=5).close()
    else:
        sender_factory(client, connection, paced=False)(None).close(1)  # type: ignore[arg-type] # never told


def test_a_missing_permission_names_the_topic(cluster: Cluster, unique_run: str, tmp_path: Path) -> None:
    """Who may not create topics is told which ones."""
    tape = tiny_tape(tmp_path / "night.parquet")
    with pytest.raises(BrokerError, match=rf"(?i)space\.presence\.{unique_run}.*authoriz"):
        open_run(cluster.login("mallory"), tape.info, run=unique_run, watermark_step_ms=60_000)


@pytest.mark.parametrize("client", CLIENTS)
def test_who_may_not_write_is_told_so(cluster: Cluster, unique_run: str, tmp_path: Path, client: str) -> None:
    """A replay into topics its user may see but not write fails, by the name of the topic."""
    tape = tiny_tape(tmp_path / "night.parquet")
    info = open_run(cluster.inside, tape.info, run=unique_run, watermark_step_ms=60_000)
    cluster.allow(
        "mallory",
        (ResourceType.TOPIC, info.topics["tweets"], WRITE),
        (ResourceType.TOPIC, info.topics["space.presence"], ACLOperation.DESCRIBE),
        (ResourceType.TOPIC, info.topics["run.status"], WRITE),
    )
    make = sender_factory(client, cluster.login("mallory"), paced=False)
    with pytest.raises((DeliveryError, BrokerError), match=r"(?i)space\.presence.*authoriz"):
        Replay(tape, info, make, settings=PlaybackRequest()).play()


@pytest.mark.parametrize(
    "arguments",
    [["stream", "--run", "any"], ["dead-letters"], ["verify", "--deadline", "5"], ["export", "--port", "0"]],
    ids=lambda arguments: arguments[0],
)
def test_every_part_tells_a_wrong_password(
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    """Whatever reads: exit code 3, the address, the reason, and not the password."""
    log_in(cluster.login(password="close sesame"), monkeypatch)
    assert main(arguments) == 3
    said = capsys.readouterr().err
    assert f"no Kafka answers at {cluster.address}" in said
    assert "SaslAuthenticationFailed" in said
    assert "sesame" not in said


def test_who_follows_runs_is_told_a_wrong_certificate(cluster: Cluster, tmp_path: Path) -> None:
    """The list of runs that ``follow`` waits with."""
    _, other = certificate(tmp_path, "somebody-else")
    runs = RunList(cluster.login(ssl_ca_location=str(other)), answer_seconds=1)
    with pytest.raises(BrokerError, match=r"(?i)127\.0\.0\.1.*certificate"):
        runs.__enter__()


@pytest.mark.parametrize(
    ("without", "told"),
    [
        ([(PRESENCE, READ), (RESULTS_AUDIENCE, WRITE)], r"READ on topic space\.presence\.RUN, WRITE on topic results"),
        ([(CHECKPOINTS, READ)], r"READ on topic checkpoints\.RUN"),
        ([GROUP], r"READ on group joinstorm-faust-RUN"),
        ([(RUN_INFO, READ)], r"TopicAuthorizationFailed.*run\.info"),
    ],
    ids=["input-and-result", "checkpoints", "group", "run-info"],
)
def test_a_worker_names_what_it_may_not_use(
    cluster: Cluster,
    unique_run: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    without: list[tuple[str, ACLOperation]],
    told: str,
) -> None:
    """Before it begins, all at once, by topic; exit code 3."""
    _, info = play(cluster, unique_run, tmp_path)
    log_in(cluster.user(info, *without), monkeypatch)
    assert main(["stream", "--run", info.run]) == 3
    assert re.search(told.replace("RUN", info.run), capsys.readouterr().err)


def test_a_right_that_is_taken_away_ends_the_writing(cluster: Cluster, unique_run: str, tmp_path: Path) -> None:
    """A worker's outlet does not try for ever where it may not write; the text names user and topic."""
    _, info = play(cluster, unique_run, tmp_path)
    connection = cluster.user(info, (RESULTS_AUDIENCE, WRITE))

    async def write() -> None:
        outlet = BatchWriter(connection)
        try:
            await outlet.write(info.topics[RESULTS_AUDIENCE], [OutgoingRecord(b"key", b"value")])
        finally:
            await outlet.close()

    with pytest.raises(RefusedError, match=rf"user 'user-{info.run}' lacks WRITE on topic results\.audience"):
        asyncio.run(write())


def test_a_topic_with_more_partitions_is_named(
    cluster: Cluster,
    unique_run: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Somebody enlarged an input topic: the worker does not count half of it; exit code 2."""
    _, info = play(cluster, unique_run, tmp_path)
    with contextlib.closing(open_admin(cluster.inside)) as admin:
        admin.create_partitions({info.topics[TWEETS]: 6})
    log_in(cluster.login(), monkeypatch)
    assert main(["stream", "--run", info.run]) == 2
    assert f"topic {info.topics[TWEETS]} has 6 partitions, expected 4" in capsys.readouterr().err


def test_more_copies_than_brokers_are_refused(cluster: Cluster, unique_run: str, tmp_path: Path) -> None:
    """A replication factor the cluster cannot give: how many brokers it has, in one line."""
    tape = tiny_tape(tmp_path / "night.parquet", people=10)
    with pytest.raises(BrokerError, match=r"--replication 3 needs as many brokers; only 1 broker"):
        open_run(cluster.login(), tape.info, run=unique_run, watermark_step_ms=60_000, replication=3)
