"""An Alertmanager process: its configuration, and how it is started, killed and started again with its own data."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import yaml

from streams.errors import DeadlineError, EnvironmentMissingError
from streams.system.children import die_with_parent, held_signals
from streams.system.directhttp import open_directly
from streams.system.ports import free_ports

NAMES: Final = ("alertmanager", "prometheus-alertmanager")
"""Upstream's program, and Debian's."""
HOW_TO_GET: Final = (
    "Debian and Ubuntu: apt-get install prometheus-alertmanager; elsewhere: prometheus.io/download, and put it on the "
    "PATH; --alertmanager URL uses one that runs"
)
GROUP_INTERVAL_SECONDS: Final = 1
"""Alerts that end and fire again within it make one page, as Alertmanager documents ``group_interval``."""
REPEAT_INTERVAL: Final = "24h"
_SNAPSHOT: Final = "1s"
"""Between two writes of its log of notifications; what it sent after the last one it sends again after a kill."""
_READY_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.05


def tool() -> str:
    """Return the path of Alertmanager.

    Raises:
        EnvironmentMissingError: It is not installed; the text says how to get it.
    """
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise EnvironmentMissingError(f"alertmanager is not installed ({HOW_TO_GET})")
    return found


def configuration(recorder: str, webhooks: Sequence[str] = ()) -> str:
    """Return a configuration that sends every alert by itself, at once.

    Args:
        recorder: The address of the receiver that keeps them.
        webhooks: Further addresses, each served independently: one that does not answer holds no other up.
    """
    names = {"recorder": recorder, **{f"webhook-{number}": url for number, url in enumerate(webhooks, start=1)}}
    document = {
        "route": {
            "receiver": "recorder",
            "group_by": ["..."],
            "group_wait": "0s",
            "group_interval": f"{GROUP_INTERVAL_SECONDS}s",
            "repeat_interval": REPEAT_INTERVAL,
            "routes": [{"receiver": name, "continue": True} for name in names],
        },
        "receivers": [
            {"name": name, "webhook_configs": [{"url": url, "send_resolved": True}]} for name, url in names.items()
        ],
    }
    return str(yaml.safe_dump(document, sort_keys=False))


@dataclass
class Alertmanager:
    """Context manager: an Alertmanager on a free port of the loopback interface; no cluster.

    ``kill`` and ``start`` simulate a failure; port and data stay.

    Args:
        folder: The folder of its configuration, its data and its log.
        config: Its configuration.
    """

    folder: Path
    config: str
    port: int = field(default=0, init=False)
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Choose the port; nothing is started yet."""
        (self.port,) = free_ports(1)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "alertmanager.yml").write_text(self.config)
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()  # its data ends with the rehearsal

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it is ready; from a thread that lives as long as it, which it does not outlive.

        Raises:
            EnvironmentMissingError: It is not installed, or does not start; the text has the end of its log.
            DeadlineError: It is not ready in time.
        """
        command = [
            tool(),
            f"--config.file={self.folder / 'alertmanager.yml'}",
            f"--storage.path={self.folder / 'data'}",
            f"--data.maintenance-interval={_SNAPSHOT}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]
        with (self.folder / "alertmanager.log").open("ab") as log, held_signals():
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(),  # noqa: PLW1509 - one system call, looked up before the fork
            )
        self._wait(self._process)

    def kill(self) -> None:
        """Kill it, without a chance to write anything."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def check(self) -> None:
        """Raise EnvironmentMissingError where it has ended by itself."""
        if self._process is not None and (self._process.poll() or 0) > 0:
            raise EnvironmentMissingError(f"alertmanager has ended; the end of its log:\n{self.log()[-2000:]}")

    def log(self) -> str:
        """Return its log."""
        return (self.folder / "alertmanager.log").read_text(errors="replace")

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise EnvironmentMissingError(f"alertmanager did not start; the end of its log:\n{self.log()[-2000:]}")
            with contextlib.suppress(OSError), open_directly(f"{self.url}/-/ready", 1.0):
                return
            time.sleep(_POLL_SECONDS)
        raise DeadlineError(f"alertmanager is not ready after {_READY_SECONDS:.0f} s:\n{self.log()[-2000:]}")
