"""A whole run whose connections are cut at each step of its start: at the request, or at its answer, by a proxy."""

import json
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from joinstorm.chaos.proxy import Passing, Proxy
from joinstorm.embedded.cluster import EmbeddedCluster
from producers.tape.tapefile import Tape
from tests.conftest import own_cluster
from tests.tinytape import tiny_tape

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

CUT_SECONDS = 1.0
_HEAD = struct.Struct(">ihhih")
PRODUCE, FETCH, OFFSETS, COORDINATOR, JOIN, SYNC, CREATE, PRODUCER_ID = 0, 1, 2, 10, 11, 14, 19, 22


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

    def is_in(self, chunk: bytes) -> bool:
        """Whether this is one of the requests in a chunk that begins with one."""
        return any(self._is(request) for request in _requests(chunk))

    def _is(self, found: bytes) -> bool:
        _, request, _, _, length = _HEAD.unpack_from(found)
        client = found[_HEAD.size : _HEAD.size + max(0, length)]
        return request == self.request and client.startswith(self.client.encode()) and self.holds in found


def _requests(chunk: bytes) -> Iterator[bytes]:
    """Yield the requests of a chunk, the last one as far as it is there: clients send several at once."""
    at = 0
    while at + _HEAD.size <= len(chunk):
        size = 4 + max(0, _HEAD.unpack_from(chunk, at)[0])
        yield chunk[at : at + size]
        at += size


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
        engine: The engine that is started.
        answers: Whether it cuts when the broker answers, after it has done what was asked.
    """

    def __init__(self, engine: str, answers: bool) -> None:
        self.engine = engine
        self.moments = START + ENGINES[engine]
        self.proxy = Proxy(self._see)
        self.done: list[str] = []
        self._answers = answers
        self._left = list(self.moments)
        self._asked: dict[int, Moment] = {}
        """The moment whose answer is awaited, by connection."""

    def _see(self, passing: Passing) -> None:
        if not passing.onward:
            if (asked := self._asked.pop(passing.connection, None)) is not None:
                self._cut(asked)
            return
        for moment in self._left:
            if moment.is_in(passing.chunk):
                self._left.remove(moment)
                if self._answers:
                    self._asked[passing.connection] = moment
                else:
                    self._cut(moment)
                return

    def _cut(self, moment: Moment) -> None:
        self.done.append(moment.step)
        self._left += self._asked.values()  # they get no answer: the next request of the kind counts
        self._asked.clear()
        self.proxy.cut()
        threading.Timer(CUT_SECONDS, self.proxy.heal).start()


@pytest.fixture(
    params=[("faust", False), ("faust", True), ("kafka-python", True)],
    ids=["faust-request", "faust-answer", "kafka-python-answer"],
)
def cutting(request: pytest.FixtureRequest) -> Iterator[tuple[Cutting, EmbeddedCluster]]:
    """Yield what cuts, and a broker behind it."""
    made = Cutting(*request.param)
    with made.proxy, own_cluster(1, made.proxy.lead_to) as cluster:
        yield made, cluster


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Return a small night."""
    return tiny_tape(tmp_path_factory.mktemp("tape") / "night.parquet", people=300)


def test_a_run_is_exact_although_each_step_of_its_start_is_cut(
    cutting: tuple[Cutting, EmbeddedCluster], tape: Tape, tmp_path: Path
) -> None:
    """Topics, run.info, readers, producer, truth and worker: each goes on when the connections are back."""
    cuts, cluster = cutting
    where = ["--bootstrap-servers", cluster.connection.bootstrap_servers, "--out", str(tmp_path / "out")]
    command = [sys.executable, "-m", "joinstorm.cli", "run", "--tape", str(tape.path), "--engine", cuts.engine, *where]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert sorted(cuts.done) == sorted(moment.step for moment in cuts.moments), done.stderr
    assert done.returncode == 0, done.stderr
    verdict = json.loads((tmp_path / "out" / "verdict.json").read_text())
    assert verdict["exact"]
    assert verdict["mismatches"] == 0
