"""The replay's own progress record: ``run.status``, about once a second."""

import time
from collections.abc import Callable

from producers.replay.meter import Meter
from producers.senders.protocol import Sender
from streams.contract import runinfo
from streams.contract.runinfo import ReplayState, RunInfo, RunStatus
from streams.contract.topics import RUN_STATUS

EVERY_SECONDS = 1.0


class StatusWriter:
    """Writes the status once a second, and whenever the state changes; a run without a topic for it keeps it.

    Args:
        info: The run.
        sender: Publishes the records.
        meter: Counts the delivered records.
        clock: Monotonic seconds.
    """

    def __init__(
        self, info: RunInfo, sender: Sender, meter: Meter, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._info = info
        self._sender = sender
        self._meter = meter
        self._clock = clock
        self._state: ReplayState | None = None
        self._written = -EVERY_SECONDS
        self._at: int | None = None
        self.latest: RunStatus | None = None

    def write(self, state: ReplayState, at: int, speed: float) -> bool:
        """Write the status if it is due, and return whether it was.

        Args:
            state: The state of the replay.
            at: Event time up to which the broker has everything.
            speed: The requested speed, 0 for as fast as possible.
        """
        now = self._clock()
        if state == self._state and now - self._written < EVERY_SECONDS:
            return False
        recent = self._meter.restart_recent()
        passed = now - self._written
        moved = 0 if self._at is None else at - self._at
        self.latest = RunStatus(
            v=1,
            run=self._info.run,
            state=state,
            at=at,
            speed=speed,
            actual_speed=moved / 1000 / passed if passed > 0 else 0.0,
            sent=self._meter.acked,
            failed=sum(self._meter.failed.values()),
            on_time_ratio=self._meter.left_late.on_time_ratio,
            lateness_seconds=recent.percentile(0.99),
            client=self._sender.name,
            wall_ms=time.time_ns() // 1_000_000,
        )
        if (topic := self._info.topics.get(RUN_STATUS)) is not None:
            self._sender.publish(topic, self._info.run.encode(), runinfo.encode(self.latest))
        self._state, self._written, self._at = state, now, at
        return True
