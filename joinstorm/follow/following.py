"""Runs a joinstorm command for each run as it is opened: the workers and the truth of a looping replay."""

import gc
import os
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
from streams.system.children import die_with_parent, end_processes, held_signals

RUN_SECONDS: Final = 60.0
"""How long ``once`` waits for a run."""


class Following:
    """One command, started for the newest run, and again for each newer one.

    Args:
        command: The joinstorm command and its options, without ``--run``.
        connection: Where the broker is; the command gets it through its environment.
        prefix: Prefix of every topic name; passed on likewise.
        grace_seconds: How long the command may go on with a run once a newer one is open.
        keep_runs: How many runs keep their events; older ones are deleted when a run is opened. None deletes nothing.
        heartbeat: A file to touch on every poll.
        notify: Called with a line about what is being done.
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
        notify: Callable[[str], None],
    ) -> None:
        self.command = list(command)
        self.connection = connection
        self.prefix = prefix
        self.grace_seconds = grace_seconds
        self.keep_runs = keep_runs
        self.heartbeat = heartbeat
        self.notify = notify

    def once(self) -> int:
        """Run the command for the newest run, and return its exit code.

        Raises:
            BrokerError: No broker answers.
            DeadlineError: No run is opened within a minute.
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
                end_processes(child, seconds=STOP_SECONDS)

    def forever(self) -> int:
        """Follow the newest run until interrupted; returns the exit code of the command when it fails.

        Raises:
            BrokerError: No broker answers.
        """
        done = ""
        with RunList(self.connection, self.prefix) as runs:
            while True:
                found = self._poll(runs)
                if found and found[-1].run != done:
                    done = found[-1].run
                    self._forget(found)
                    code = self._follow(runs, found[-1])
                    if code != EXIT_OK:
                        return code

    def _follow(self, runs: RunList, info: RunInfo) -> int:
        """Run the command for one run until it ends, or until its grace after a newer run is over."""
        child = self._start(info)
        last: float | None = None
        try:
            while (code := child.poll()) is None:
                newest = self._poll(runs)[-1]
                if newest.run != info.run and last is None:
                    last = time.monotonic() + self.grace_seconds
                if last is not None and time.monotonic() > last:
                    self.notify(f"run {info.run}: abandoned for the newer run {newest.run}")
                    return EXIT_OK
            return code
        finally:
            end_processes(child, seconds=STOP_SECONDS)

    def _poll(self, runs: RunList) -> list[RunInfo]:
        found = runs.runs()
        if self.heartbeat is not None:
            self.heartbeat.touch()
        return found

    def _forget(self, found: Sequence[RunInfo]) -> None:
        if self.keep_runs is not None and (deleted := forget(self.connection, found, self.keep_runs)):
            self.notify(f"deleted: {', '.join(deleted)}")
            gc.collect()  # clients that have ended hold themselves, and a search for cycles comes seldom

    def _start(self, info: RunInfo) -> "subprocess.Popen[bytes]":
        self.notify(f"run {info.run}: {' '.join(self.command)}")
        with held_signals():
            return subprocess.Popen(
                joinstorm(*self.command, "--run", info.run),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=die_with_parent(),  # noqa: PLW1509 - one system call, looked up before the fork
                env={**self.connection.environ(os.environ), "JOINSTORM_TOPIC_PREFIX": self.prefix},
            )
