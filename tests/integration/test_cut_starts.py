"""A whole run whose connections are cut at each step of its start: at the request, or at its answer, by a proxy."""

import contextlib
import json
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from joinstorm.chaos.proxy import Passing, Proxy
from producers.replay.opening import publish_once
from producers.replay.topiccreation import ensure_topics
from producers.tape.tapefile import Tape
from streams.contract.runinfo import encode
from streams.contract.topics import RUN_INFO, Topics
from streams.kafka.connection import Connection
from streams.kafka.patience import patiently
from streams.kafka.topicreader import read_all
from streams.read.reader import ResultReader
from tests.conftest import own_cluster
from tests.nights import run_info
from tests.tinytape import tiny_tape

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

CUT_SECONDS = 1.0
SECONDS = 25.0
_SIZE = struct.Struct(">i")
_HEAD = struct.Struct(">ihhih")
PRODUCE, FETCH, METADATA, COORDINATOR, JOIN, SYNC, CREATE, PRODUCER_ID = 0, 1, 3, 10, 11, 14, 19, 22


@dataclass(frozen=True)
class Moment:
    """A request by which a step of the start is known.

    Args:
        step: What is being done.
        request: Number of the request in Kafka's protocol.
        client: How the client's id begins.
        holds: Bytes in the request.
    """

    step: str
    request: int
    client: str
    holds: bytes = b""

    def is_(self, found: bytes) -> bool:
        """Whether a whole request is one of these."""
        _, request, _, _, length = _HEAD.unpack_from(found)
        client = found[_HEAD.size : _HEAD.size + max(0, length)]
        return request == self.request and client.startswith(self.client.encode()) and self.holds in found


def _requests(sent: bytes) -> tuple[list[bytes], bytes]:
    """Return the whole requests at the beginning of what a connection sent, and the rest."""
    found, at = [], 0
    while at + _SIZE.size <= len(sent):
        end = at + _SIZE.size + _SIZE.unpack_from(sent, at)[0]
        if end > len(sent):
            break
        found.append(sent[at:end])
        at = end
    return found, sent[at:]


START = (
    Moment("topic creation", CREATE, "kafka-python"),
    Moment("run.info", PRODUCE, "kafka-python", b'"tape_sha256"'),
    Moment("a reader's start", FETCH, "aiokafka"),
    Moment("the producer's start", PRODUCER_ID, "kafka-python"),
    Moment("the first events", PRODUCE, "kafka-python", b'"event_id"'),
    Moment("the truth's publication", PRODUCE, "aiokafka", b'"truth"'),
)
ENGINES = {
    "faust": (
        Moment("a worker's rights", COORDINATOR, "kafka-python"),
        Moment("the engine's group", COORDINATOR, "faust"),
        Moment("joining the group", JOIN, "faust"),
        Moment("the assignment", SYNC, "faust"),
        Moment("the engine's first records", FETCH, "faust"),
        Moment("the first results", PRODUCE, "aiokafka", b'"faust"'),
    ),
    "kafka-python": (
        Moment("the engine's group", COORDINATOR, "kafka-python"),
        Moment("joining the group", JOIN, "kafka-python"),
        Moment("the assignment", SYNC, "kafka-python"),
        Moment("the first results", PRODUCE, "kafka-python", b'"engine":"kafka-python"'),
    ),
}


class Cutting:
    """Cuts all connections at each of the moments once, and heals them a little later.

    Args:
        moments: When; one that is there twice is awaited twice.
        answers: Whether it cuts when the broker answers, after it has done what was asked.
    """

    def __init__(self, moments: Sequence[Moment], answers: bool) -> None:
        self.moments = moments
        self.proxy = Proxy(self._see)
        self.done: list[str] = []
        self._answers = answers
        self._left = list(moments)
        self._rests: dict[int, bytes] = {}
        """Of each connection, the beginning of the request that has not come whole."""
        self._asked: list[tuple[int, Moment]] = []
        """The moments whose answers are awaited, with the numbers of their connections."""

    def _see(self, passing: Passing) -> None:
        if not passing.onward:
            if any(connection == passing.connection for connection, _ in self._asked):
                self._cut([moment for _, moment in self._asked])  # the others wait too, and get no answer either
                self._asked.clear()
            return
        found, rest = _requests(self._rests.get(passing.connection, b"") + passing.chunk)
        self._rests[passing.connection] = rest
        for moment in self._left:
            if any(moment.is_(request) for request in found):
                self._left.remove(moment)
                if self._answers:
                    self._asked.append((passing.connection, moment))
                else:
                    self._cut([moment])
                return

    def _cut(self, moments: Sequence[Moment]) -> None:
        self.done += [moment.step for moment in moments]
        self.proxy.cut()
        threading.Timer(CUT_SECONDS, self.proxy.heal).start()


@contextlib.contextmanager
def cut_at(moments: Sequence[Moment], answers: bool) -> Iterator[tuple[Cutting, Connection]]:
    """Yield what cuts, and the connection to a broker behind it."""
    made = Cutting(moments, answers)
    with made.proxy, own_cluster(1, made.proxy.lead_to) as cluster:
        yield made, cluster.connection


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Return a small night."""
    return tiny_tape(tmp_path_factory.mktemp("tape") / "night.parquet", people=300)


@pytest.mark.parametrize(
    ("engine", "answers"),
    [("faust", False), ("faust", True), ("kafka-python", True)],
    ids=["faust-request", "faust-answer", "kafka-python-answer"],
)
def test_a_run_is_exact_although_each_step_of_its_start_is_cut(
    engine: str, answers: bool, tape: Tape, tmp_path: Path
) -> None:
    """Topics, run.info, readers, producer, truth and worker: each goes on when the connections are back."""
    with cut_at(START + ENGINES[engine], answers) as (cuts, connection):
        where = ["--bootstrap-servers", connection.bootstrap_servers, "--out", str(tmp_path / "out")]
        command = [sys.executable, "-m", "joinstorm.cli", "run", "--tape", str(tape.path), "--engine", engine, *where]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert sorted(cuts.done) == sorted(moment.step for moment in cuts.moments), done.stderr
    assert done.returncode == 0, done.stderr
    verdict = json.loads((tmp_path / "out" / "verdict.json").read_text())
    assert verdict["exact"]
    assert verdict["mismatches"] == 0


@pytest.mark.parametrize("answers", [False, True], ids=["request", "answer"])
def test_readers_go_on_although_no_question_about_the_cluster_is_answered_at_first(answers: bool) -> None:
    """To subscribers, aiokafka asks once where the partitions are, and waits for minutes if that answer is lost."""
    asked = Moment("the cluster", METADATA, "aiokafka", RUN_INFO.encode())
    with cut_at([asked] * 4, answers) as (cuts, connection):
        patiently(lambda: ensure_topics(connection, [], Topics("run").specs(), 1))
        info = run_info("run")
        publish_once(connection, RUN_INFO, "run", encode(info))
        with ResultReader(connection) as reader:
            assert reader.wait_for_run(SECONDS) == info
        assert [record.value for record in patiently(lambda: read_all(connection, RUN_INFO))] == [encode(info)]
    assert len(cuts.done) == len(cuts.moments)
