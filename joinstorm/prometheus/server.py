"""A Prometheus process for checks, with its API: it runs on blocks or targets and ends with the check."""

import contextlib
import http.client
import shutil
import subprocess
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeAlias

import msgspec

from streams.errors import DeadlineError, EnvironmentMissingError, JoinstormError
from streams.system.children import die_with_parent, held_signals
from streams.system.ports import free_ports

RETENTION = "20y"
"""The night is in 2023: the default retention would delete it at the next compaction."""
RECEIVING = "storage: {tsdb: {out_of_order_time_window: 20y}}\n"
"""A configuration, or a part of one, with which it takes event-time series."""
HOW_TO_GET = "Debian and Ubuntu: apt-get install prometheus; elsewhere: prometheus.io/download, and put it on the PATH"
_READY_SECONDS = 60.0
_POLL_SECONDS = 0.05
_MOST_POINTS = 10_000
"""Of one answer; Prometheus gives 11,000 at most."""

Labels: TypeAlias = frozenset[tuple[str, str]]
RangeSeries: TypeAlias = dict[str, Any]
"""One series of a range: ``metric`` (labels) and ``values`` (pairs of seconds and text); long ranges come in pieces."""
Vector: TypeAlias = dict[Labels, float]
"""An instant vector: value by labels, without the metric's name."""


def tool(name: str) -> str:
    """Return the path of ``prometheus`` or ``promtool``.

    Raises:
        EnvironmentMissingError: It is not installed; the text says how to get it.
    """
    found = shutil.which(name)
    if found is None:
        raise EnvironmentMissingError(f"{name} is not installed ({HOW_TO_GET})")
    return found


def promtool(*arguments: str) -> str:
    """Run promtool and return its output.

    Raises:
        JoinstormError: It failed; the text has its output.
    """
    done = subprocess.run([tool("promtool"), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise JoinstormError(f"promtool {' '.join(arguments[:3])}: {(done.stdout + done.stderr).strip()}")
    return done.stdout


def promtool_problems(*arguments: str) -> str:
    """Run promtool and return its complaints; empty when it has none.

    Raises:
        EnvironmentMissingError: It is not installed; the text says how to get it.
    """
    done = subprocess.run([tool("promtool"), *arguments], capture_output=True, text=True, check=False)
    return (done.stderr or done.stdout or "failed without a word") if done.returncode else ""


class QueryError(JoinstormError):
    """Prometheus rejects a query; the text is its own."""


@dataclass
class Prometheus:
    """Context manager: a Prometheus process on a free port of the loopback interface.

    Args:
        folder: The folder of its data and its log.
        config: Its configuration; by default it scrapes nothing and evaluates nothing.
        lookback: How long a sample stays current. Blocks, unlike scrapes, do not mark where a series ends, so for them
            it should be little more than the step between samples.
        arguments: Further arguments of its command line.
    """

    folder: Path
    config: str = "{}"
    lookback: str = "5m"
    arguments: tuple[str, ...] = ()
    port: int = field(default=0, init=False)
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    _connection: http.client.HTTPConnection = field(init=False, repr=False)
    _open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack, init=False, repr=False)

    def __post_init__(self) -> None:
        """Choose the port; nothing is started yet."""
        (self.port,) = free_ports(1)
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "prometheus.yml").write_text(self.config)
        self._open.callback(self._connection.close)
        log = self._open.enter_context((self.folder / "prometheus.log").open("wb"))
        try:
            self._start(log)
        except BaseException:
            self._end()
            raise
        return self

    def _start(self, log: BinaryIO) -> None:
        with held_signals():
            self._process = subprocess.Popen(
                [
                    tool("prometheus"),
                    f"--config.file={self.folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={self.folder / 'data'}",
                    f"--storage.tsdb.retention.time={RETENTION}",
                    f"--query.lookback-delta={self.lookback}",
                    "--web.enable-remote-write-receiver",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    *self.arguments,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(),  # noqa: PLW1509 - one system call, looked up before the fork
            )
        self._wait(self._process)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()  # its data is a copy: nothing is lost
            self._process.wait()
        self._open.close()

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise EnvironmentMissingError(f"prometheus did not start; the end of its log:\n{self.log()[-2000:]}")
            try:
                self._connection.request("GET", "/-/ready")
                answer = self._connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                self._connection.close()
            else:
                if answer.status == http.client.OK:
                    return
            time.sleep(_POLL_SECONDS)
        raise DeadlineError(f"prometheus is not ready after {_READY_SECONDS:.0f} s:\n{self.log()[-2000:]}")

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> str:
        """Return its log."""
        return (self.folder / "prometheus.log").read_text(errors="replace")

    def query(self, expression: str, at: float) -> Vector:
        """Return the instant vector of an expression at a moment (seconds since the epoch); a scalar has no labels.

        Raises:
            QueryError: Prometheus rejects the expression.
        """
        data = self._ask("/api/v1/query", {"query": expression, "time": f"{at:.3f}"})
        if data["resultType"] == "scalar":
            return {frozenset(): float(data["result"][1])}
        return {_labels(series["metric"]): float(series["value"][1]) for series in data["result"]}

    def query_range(self, expression: str, start: int, end: int, step: int) -> list[RangeSeries]:
        """Return the values of an expression at every step of a stretch.

        Args:
            expression: PromQL.
            start: The first moment, in milliseconds since the epoch.
            end: The last one at most.
            step: Milliseconds between two moments.

        Raises:
            QueryError: Prometheus does not take the expression, or cannot evaluate it at some moment.
        """
        found: list[RangeSeries] = []
        for first in range(start, end + 1, step * _MOST_POINTS):
            last = min(end, first + step * (_MOST_POINTS - 1))
            asked = {
                "query": expression, "start": f"{first / 1000:.3f}", "end": f"{last / 1000:.3f}", "step": f"{step}ms"
            }  # fmt: skip
            found += self._ask("/api/v1/query_range", asked)["result"]
        return found

    def samples(self, selector: str, back: str, at: float) -> dict[Labels, list[tuple[float, float]]]:
        """Return the raw samples (time, value) of each series in the range ``back`` (as ``5m``) before a moment."""
        data = self._ask("/api/v1/query", {"query": f"{selector}[{back}]", "time": f"{at:.3f}"})
        return {
            _labels(series["metric"]): [(float(when), float(value)) for when, value in series["values"]]
            for series in data["result"]
        }

    def _ask(self, path: str, form: Mapping[str, str]) -> Any:
        try:
            answer = self._answer(path, form)
        except ConnectionError:  # it ends a connection that was idle for five minutes
            self._connection.close()
            answer = self._answer(path, form)
        if answer["status"] != "success":
            raise QueryError(f"{answer['errorType']}: {answer['error']}")
        return answer["data"]

    def _answer(self, path: str, form: Mapping[str, str]) -> Any:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", path, urllib.parse.urlencode(form), kind)
        return msgspec.json.decode(self._connection.getresponse().read())


def _labels(metric: Mapping[str, str]) -> Labels:
    return frozenset((name, value) for name, value in metric.items() if name != "__name__")
