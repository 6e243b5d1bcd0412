"""Runs a joinstorm command for one run after another, as runs are opened: workers and truth behind a looping replay."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from joinstorm.follow.forgetting import forget
from joinstorm.follow.runlist import RunList
from joinstorm.run.supervisor import STOP_SECONDS, joinstorm
from streams.contract.runinfo import RunInfo
from streams.errors import EXIT_OK, DeadlineError
from streams.kafka.connection import Connection
from streams.system.children import die_with_parent, held_signals

RUN_SECONDS: Final = 60.0
"""How long ``once`` waits for a run."""


class Following:
    """One command, run for the newest run, and for the next one as soon as there is one.

    Args:
        command: The joinstorm command and its options, without ``--run``.
        connection: Where the broker is; the command is told by its environment.
        prefix: Put before every topic name; likewise.
        grace_seconds: How long the command may go on with a run after a newer one was opened.
        keep_runs: Delete the events of all but so many runs whenever a new one is opened; None: delete nothing.
        heartbeat: A file that is touched a few times a minute as long as all is well.
        say: Takes a line of what is going on.
    """

    def __init__(
        self,
        command: Sequence[str],
        connection: Connection,
        prefix: str = "",
        *,
        grace_seconds: float = 30.0,
        keep_runs: int | None = None,
        heartbeat: Path | None = None,
        say: Callable[[str], None],
    ) -> None:
        self.command = list(command)
        self.connection = connection
        self.prefix = prefix
        self.grace_seconds = grace_seconds
        self.keep_runs = keep_runs
        self.heartbeat = heartbeat
        self.say = say

    def once(self) -> int:
        """Run the command for the run that is the newest now, and return its exit code.

        Raises:
            BrokerError: No broker answers.
            DeadlineError: There is no run within a minute.
        """
        deadline = time.monotonic() + RUN_SECONDS
        with RunList(self.connection, self.prefix) as runs:
            while not (found := runs.runs()):
                if time.monotonic() > deadline:
                    raise DeadlineError(
                        f"no run was opened at {self.connection.bootstrap_servers} in {RUN_SECONDS:g} s"
                    )
            child = self._start(found[-1])
            try:
                return child.wait()
            finally:
                _end(child)

    def forever(self) -> int:
        """Follow the newest run until interrupted; returns only when the command fails: its exit code.

        Raises:
            BrokerError: No broker answers.
        """
        done = ""
        with RunList(self.connection, self.prefix) as runs:
            while True:
                found = self._look(runs)
                if found and found[-1].run != done:
                    done = found[-1].run
                    self._forget(found)
                    code = self._follow(runs, found[-1])
                    if code != EXIT_OK:
                        return code

    def _follow(self, runs: RunList, info: RunInfo) -> int:
        """Run the command for one run, until it ends or a newer run leaves it no more time."""
        child = self._start(info)
        last: float | None = None
        try:
            while (code := child.poll()) is None:
                newest = self._look(runs)[-1]
                if newest.run != info.run and last is None:
                    last = time.monotonic() + self.grace_seconds
                if last is not None and time.monotonic() > last:
                    self.say(f"run {info.run}: given up for the newer run {newest.run}")
                    return EXIT_OK
            return code
        finally:
            _end(child)

    def _look(self, runs: RunList) -> list[RunInfo]:
        found = runs.runs()
        if self.heartbeat is not None:
            self.heartbeat.touch()
        return found

    def _forget(self, found: Sequence[RunInfo]) -> None:
        if self.keep_runs is not None and (gone := forget(self.connection, found, self.keep_runs)):
            self.say(f"deleted: {', '.join(gone)}")

    def _start(self, info: RunInfo) -> "subprocess.Popen[bytes]":
        self.say(f"run {info.run}: {' '.join(self.command)}")
        with held_signals():
            return subprocess.Popen(
                joinstorm(*self.command, "--run", info.run),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=die_with_parent(),  # noqa: PLW1509 - one system call, looked up before the fork
                env={**self.connection.environ(os.environ), "JOINSTORM_TOPIC_PREFIX": self.prefix},
            )


def _end(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
