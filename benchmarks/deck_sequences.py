"""Random commands to the tape deck, through a real Kafka into a real engine: the digest is that of plain playing.

    python -m benchmarks.deck_sequences --runs 50 --seed 1

Each sequence draws pauses, resumes, steps, jumps in both directions, changes of speed and at least one kill -9 of the
producer, which then resumes from its saved position. Exit code 1 if any digest differs.
"""

import contextlib
import os
import random
import signal
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from joinstorm.embedded.broker import EmbeddedBroker
from joinstorm.interrupts import interruptible
from joinstorm.run.supervisor import ChildProcess, Supervisor, joinstorm
from joinstorm.terminal.recordingbar import tape_of
from joinstorm.verdict.verdicts import Verdict
from joinstorm.verdict.verification import verify
from producers.replay.control import ControlClient
from producers.replay.position import Position
from producers.tape.tapefile import Tape
from streams.engines.abstract import WorkerSettings
from streams.engines.registry import load
from streams.errors import EnvironmentMissingError, UsageError
from streams.kafka.connection import Connection
from streams.read.reader import ResultReader
from streams.system.scratch import scratch

KILL = "kill -9"
KINDS = ("pause", "resume", "toggle", "step", "speed", "jump", "jump back", KILL)
SECONDS = 120.0
"""How long a producer or an engine may take."""


@dataclass(frozen=True)
class DeckStep:
    """One command to the deck or a kill, ``after`` seconds of wall clock after the one before."""

    after: float
    kind: str
    argument: str = ""

    def __str__(self) -> str:
        """Return the command with its argument."""
        return f"{self.kind} {self.argument}".strip()


def draw(seed: int) -> list[DeckStep]:
    """Return the sequence of a seed: four to nine steps, at least one of them a kill."""
    dice = random.Random(f"deck-{seed}")
    kinds = [dice.choice(KINDS) for _ in range(dice.randint(3, 8))]
    kinds.insert(dice.randint(0, len(kinds)), KILL)
    return [DeckStep(round(dice.uniform(0.05, 0.6), 2), kind, _argument(kind, dice)) for kind in kinds]


def _argument(kind: str, dice: random.Random) -> str:
    if kind == "step":
        return f"{dice.randint(5, 120)}s"
    if kind == "speed":
        return dice.choice(("1", "30", "120", "600"))
    if kind == "jump":
        return dice.choice(("+1m", "+10m", "talk", "talk+5m", "end"))
    return dice.choice(("-30s", "-5m", "open", "scheduled_start")) if kind == "jump back" else ""


class ControlledReplay:
    """A ``joinstorm replay`` process controlled through its deck; ``supervisor`` ends it.

    Args:
        supervisor: Starts the process.
        connection: Where the broker is.
        tape: The tape to play.
        position: Where the replay saves its position.
    """

    def __init__(self, supervisor: Supervisor, connection: Connection, tape: Path, position: Path) -> None:
        self._supervisor = supervisor
        self._position = position
        self._command = [
            *("replay", str(tape), "--bootstrap-servers", connection.bootstrap_servers),
            *("--speed", "60", "--position", str(position), "--format", "json"),
        ]
        self._process = self._start("--run", f"deck-{uuid.uuid4().hex[:8]}")

    def _start(self, *more: str) -> ChildProcess:
        return self._supervisor.start(self._position.stem, joinstorm(*self._command, *more))

    def deck(self) -> ControlClient | None:
        """Wait until the deck listens; None if the replay ends before."""
        deadline = time.monotonic() + SECONDS
        while self._process.exit_code() is None and time.monotonic() < deadline:
            with contextlib.suppress(EnvironmentMissingError):
                client = ControlClient.find(pid=self._process.pid)
                if client.state()["state"] != "starting":
                    return client
            time.sleep(0.05)
        return None

    def apply(self, step: DeckStep) -> None:
        """Give one command; one that the deck refuses (a jump beyond the night) is skipped."""
        if (deck := self.deck()) is None:
            return
        time.sleep(step.after)
        with contextlib.suppress(UsageError, EnvironmentMissingError):
            match step.kind:
                case "step":
                    deck.step(step.argument)
                case "speed":
                    deck.set_speed(step.argument)
                case "jump" | "jump back":
                    deck.jump(step.argument)
                case kind if kind == KILL:
                    self._kill()
                case kind:
                    getattr(deck, kind)()

    def _kill(self) -> None:
        self._supervisor.end(self._process, signal.SIGKILL)
        if not self.position().ended:
            self._process = self._start("--resume", str(self._position))

    def position(self) -> Position:
        """Return the position it saved last."""
        return msgspec.json.decode(self._position.read_bytes(), type=Position)

    def finish(self) -> Position:
        """Play to the end as fast as possible, and return the final position."""
        if (deck := self.deck()) is not None:
            with contextlib.suppress(EnvironmentMissingError):
                deck.set_speed("max")
                deck.resume()
        self._process.wait(SECONDS)
        return self.position()


def sequence(steps: list[DeckStep], connection: Connection, tape: Tape, folder: Path, engine: str) -> Verdict:
    """Play a tape with these steps, let an engine count the last run, and verify it."""
    with Supervisor(folder / "logs") as supervisor:
        replay = ControlledReplay(supervisor, connection, tape.path, folder / f"{uuid.uuid4().hex[:8]}.json")
        for step in steps:
            replay.apply(step)
        info = replay.finish().info
    with _time_limit():
        load(engine).run(WorkerSettings(connection, info, engine))
    with ResultReader(connection, run=info.run) as reader:
        return verify(reader, engine, tape, SECONDS)


@contextlib.contextmanager
def _time_limit() -> Iterator[None]:
    """Stop an engine that does not end in time, by SIGTERM."""
    timer = threading.Timer(SECONDS, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@click.command()
@click.option("--runs", type=click.IntRange(1), default=50, help="Number of sequences.")
@click.option("--seed", type=click.IntRange(0), default=1, help="Seed of the first sequence; each uses the next one.")
@click.option("--scale", type=click.FloatRange(0, min_open=True), default=0.2, help="Scale of the scenario quiet.")
@click.option("--engine", default="kafka-python", help="The engine that counts.")
def main(runs: int, seed: int, scale: float, engine: str) -> int:
    """Print a line per sequence, and how many end with the digest of plain playing."""
    with (
        interruptible(),
        scratch("deck") as folder,
        tape_of("quiet", scale=scale, seed=None) as tape,
        EmbeddedBroker() as broker,
    ):
        plain = sequence([], broker.connection, tape, folder, engine)
        print(f"plain playing  {plain.digest[:12]}  {'exact' if plain.exact else 'NOT exact'}", flush=True)
        same = 0
        for number in range(seed, seed + runs):
            steps = draw(number)
            verdict = sequence(steps, broker.connection, tape, folder, engine)
            right = verdict.exact and verdict.digest == plain.digest
            same += right
            answer = "same" if right else f"DIFFERENT: {verdict.mismatches} counts; {'; '.join(verdict.problems)}"
            print(f"seed {number:3}  {verdict.digest[:12]}  {answer}  {', '.join(map(str, steps))}", flush=True)
    print(f"{same} of {runs} sequences end with the digest of plain playing")
    return 0 if plain.exact and same == runs else 1


if __name__ == "__main__":
    sys.exit(main(standalone_mode=False))
