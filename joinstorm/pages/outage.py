"""Kills an Alertmanager at a moment of the night and starts it again some time later."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from joinstorm.pages.alertmanager import Alertmanager
from joinstorm.pages.delivery import AlertmanagerOutage
from streams.system.threads import BackgroundThread

_POLL_SECONDS = 0.1


@dataclass
class PlannedOutage:
    """An outage of an Alertmanager.

    Args:
        alertmanager: It is killed, with SIGKILL.
        reached: Says whether the moment has come.
        seconds: How long it is away.
    """

    alertmanager: Alertmanager
    reached: Callable[[], bool]
    seconds: float
    happened: list[AlertmanagerOutage] = field(default_factory=list, init=False)
    """The outage, once it is over."""

    def thread(self) -> BackgroundThread:
        """Return the thread that brings it about.

        It lives until its block is left: the kernel ends what a thread started when the thread ends.
        """
        return BackgroundThread("outage", self._work)

    def _work(self, over: threading.Event) -> None:
        while not self.reached():
            if over.wait(_POLL_SECONDS):
                return
        down = _now()
        self.alertmanager.kill()
        over.wait(self.seconds)
        self.alertmanager.start()
        self.happened.append(AlertmanagerOutage(down, _now()))
        over.wait()


def _now() -> int:
    return time.time_ns() // 1_000_000
