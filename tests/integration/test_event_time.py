"""A night that plays through Kafka and an engine into a real Prometheus, in its own time: it has what the oracle says.

Every sample that Prometheus has of the engine is compared with the oracle at the sample's own moment: in the middle of
the run, paused, after a jump ahead, after a jump back, and after late events.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from joinstorm.boardproof.counted import Counted
from joinstorm.oracle.answers import ask
from joinstorm.prometheus.backfill import info_of
from joinstorm.prometheus.eventtime import moments
from joinstorm.prometheus.remoteread import NAME, RemoteSeries
from joinstorm.prometheus.remotewrite import RemoteWriter, receiver
from joinstorm.prometheus.server import RECEIVING, Prometheus
from joinstorm.run.supervisor import Supervisor, joinstorm
from producers.replay.control import ControlClient
from producers.tape.tapefile import Tape
from streams.errors import EnvironmentMissingError
from streams.kafka.connection import Connection
from tests.conftest import need_program
from tests.streaming import until
from tests.tinytape import NIGHT_MS, START, tiny_tape

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
WINDOW = 5_000
MOMENTS = 20
LONG = 120.0


class Night:
    """A replay with its engine, an exporter that writes, and the Prometheus it writes to.

    Args:
        kafka: The broker.
        tape: What is played.
        run: Its run; also the prefix of its topics.
        supervisor: Starts the parts.
        prometheus: Gets the series.
    """

    def __init__(self, kafka: Connection, tape: Tape, run: str, supervisor: Supervisor, prometheus: Prometheus) -> None:
        self.run = run
        self.prometheus = prometheus
        self._supervisor = supervisor
        self._where = ["--bootstrap-servers", kafka.bootstrap_servers, "--topic-prefix", f"{run}."]
        self.info = info_of(tape)
        truth = ask(tape.path, self.info)
        self.counted = Counted(self.info, truth.audience, truth.reaction, truth.estimates)
        self._tape = tape
        self.part("export", "export", "--port", "0", "--remote-write", prometheus.url)

    def part(self, name: str, *command: str) -> None:
        """Start a part."""
        self._supervisor.start(name, joinstorm(*command, *self._where))

    def play(self, *options: str) -> None:
        """Start the replay and its worker."""
        self.part("replay", "replay", str(self._tape.path), "--run", self.run, *options)
        self.count(self.run)

    def count(self, run: str) -> None:
        """Start the worker of a run."""
        self.part(f"worker-{run}", "stream", "--run", run)

    def deck(self) -> ControlClient:
        """Return the deck, as soon as it listens."""
        found: list[ControlClient] = []

        def listens() -> bool:
            try:
                found.append(ControlClient.find(run=self.run))
            except EnvironmentMissingError:
                return False
            return True

        until(listens, "the deck", LONG)
        return found[0]

    def compared(self, run: str) -> int:
        """Compare all that Prometheus has of a run with the oracle; return how many windows of the engine it has."""
        of_engine = f'{{run="{run}",engine="faust"'
        at = moments(self.info)
        have = self._at(f"timestamp(joinstorm_event_time_waiting_people{of_engine}}})", "")
        written = [one for one in at.tolist() if abs(have.get(one, {}).get("", 0) * 1000 - one) <= 1_000]
        waiting = self._at(f"joinstorm_event_time_waiting_people{of_engine}}}", "")
        audience = self._at(f"joinstorm_event_time_audience_listeners{of_engine}}}", "space")
        joins = self._at(f'joinstorm_event_time_presence_events_total{of_engine},kind="join"}}', "space")
        for one in written:
            assert waiting[one] == {"": self.counted.waiting_at(one)}, one - START
            assert audience[one] == {space: self.counted.audience_at(space, one) for space in self.info.spaces}
            assert joins[one] == {space: self.counted.presence(space, "joins", one) for space in self.info.spaces}
        return len(written)

    def _at(self, expression: str, label: str) -> dict[int, dict[str, float]]:
        """Return values by moment (ms) and label."""
        found: dict[int, dict[str, float]] = {}
        for series in self.prometheus.query_range(expression, START, START + NIGHT_MS + WINDOW, WINDOW):
            for at, value in series["values"]:
                found.setdefault(round(float(at) * 1000), {})[series["metric"].get(label, "")] = float(value)
        return found


@contextmanager
def night(kafka: Connection, run: str, folder: Path) -> Iterator[Night]:
    """Return a night, not yet played."""
    need_program("prometheus")
    tape = tiny_tape(folder / "night.tape", people=900)
    with Prometheus(folder / "prometheus", RECEIVING) as prometheus, Supervisor(folder / "logs") as supervisor:
        yield Night(kafka, tape, run, supervisor, prometheus)


def test_in_the_middle_of_a_run_after_a_pause_and_after_jumps(
    kafka: Connection, unique_run: str, tmp_path: Path
) -> None:
    """Each window is exact as soon as it is there; nothing moves while paused; a jump back begins a series set anew."""
    with night(kafka, unique_run, tmp_path) as one:
        one.play("--speed", "30")
        deck = one.deck()
        until(lambda: one.compared(unique_run) >= MOMENTS, "twenty windows of the engine", LONG)
        assert deck.state()["state"] == "playing"

        deck.pause()
        until(lambda: deck.state()["state"] == "paused", "the pause")
        assert one.compared(unique_run) <= (deck.state()["at"] - START) // WINDOW + 1

        deck.resume()
        deck.jump("talk")
        until(lambda: one.compared(unique_run) >= NIGHT_MS // 2 // WINDOW, "the jump", LONG)

        deck.jump("melting")
        again = f"{unique_run}-2"
        until(lambda: deck.state()["run"] == again, "the run after the jump back", LONG)
        one.count(again)
        until(lambda: one.compared(again) > 120_000 // WINDOW, "windows of the second run", LONG)
        assert one.compared(unique_run) >= NIGHT_MS // 2 // WINDOW


def test_late_events_correct_the_past(kafka: Connection, unique_run: str, tmp_path: Path) -> None:
    """A fifth of the events come up to two minutes late: in the end every window is as if they had come in time."""
    with night(kafka, unique_run, tmp_path) as one:
        one.play("--speed", "120", "--fault", "late=0.2:120s", "--faults-file", str(tmp_path / "faults.parquet"))
        corrected = f'joinstorm_event_time_waiting_people{{run="{unique_run}",engine="faust"}}[15m]'

        def exact() -> bool:
            try:
                return one.compared(unique_run) == len(moments(one.info))
            except AssertionError:
                return False

        until(exact, "a night that is exact in every window", LONG)
        back = (START + NIGHT_MS) / 1000 + 10
        (samples,) = one.prometheus.samples(corrected.removesuffix("[15m]"), "15m", back).values()
        assert len(samples) > len(moments(one.info))


def test_a_prometheus_that_takes_nothing_is_named(kafka: Connection, unique_run: str, tmp_path: Path) -> None:
    """Without the window for old samples it refuses them: one line says what to change, and the exporter goes on."""
    need_program("prometheus")
    tape = tiny_tape(tmp_path / "night.tape", people=40)
    with Prometheus(tmp_path / "prometheus") as prometheus, Supervisor(tmp_path / "logs") as supervisor:
        today = RemoteSeries(((NAME, "today"),), np.array([time.time_ns() // 1_000_000]), np.ones(1))
        RemoteWriter(receiver(prometheus.url)).write([today])  # as a scrape would: else 2023 is not old
        one = Night(kafka, tape, unique_run, supervisor, prometheus)
        one.play("--speed", "max")
        log = tmp_path / "logs" / "export.log"
        until(lambda: "out_of_order_time_window" in log.read_text(), "the hint", LONG)
        assert log.read_text().count("event-time series are not written") == 1
