"""Writes a night while it plays: event-time series of the newest run, up to each engine's watermark."""

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Final, Protocol

import numpy as np

from joinstorm.prometheus import eventtime
from joinstorm.prometheus.remoteread import RemoteSeries
from joinstorm.prometheus.remotewrite import RemoteWriter, receiver
from streams.contract.runinfo import RunInfo
from streams.errors import BrokerError, EnvironmentMissingError
from streams.exporter.collector import Source
from streams.read.derive import ResultsView
from streams.read.runview import RunView
from streams.system.threads import BackgroundThread

log = logging.getLogger(__name__)
EVERY_SECONDS: Final = 1.0
"""Between two looks at the run."""
_STOP_SECONDS: Final = 60.0


class SeriesWriter(Protocol):
    """Where series go: a ``RemoteWriter``."""

    def write(self, series: Iterable[RemoteSeries]) -> None:
        """Write series; raises EnvironmentMissingError where that is not possible."""
        ...


class NightWriter:
    """Writes what is new in a run: the windows behind each engine's watermark, and corrections of earlier ones.

    Args:
        writer: Where the series go.
    """

    def __init__(self, writer: SeriesWriter) -> None:
        self._writer = writer
        self._night: _Night | None = None

    def write(self, view: RunView) -> None:
        """Write what is new in a view of a run; another run than before begins anew.

        Raises:
            EnvironmentMissingError: Not everything was written; the next call goes on.
        """
        if view.info is None:
            return
        if self._night is None or self._night.info.run != view.info.run:
            self._night = _Night(view.info)
        if self._night.fits:
            self._night.write(view, self._writer)


class _Night:
    """What is written of one run."""

    def __init__(self, info: RunInfo) -> None:
        self.info = info
        self.moments = eventtime.moments(info)
        self.written = 0
        self.lanes: dict[str, _Lane] = {}
        reason = eventtime.why_not(info)
        self.fits = not reason
        if reason:
            log.warning("run %s: no event-time series: %s", info.run, reason)

    def write(self, view: RunView, writer: SeriesWriter) -> None:
        ended = view.status is not None and view.status.state == "ended"
        until = len(self.moments) if ended else self._reached(view.replay_at)
        if until > self.written:
            writer.write(eventtime.of_run(self.info, self.moments[self.written : until]))
            self.written = until
        for name, engine in sorted(view.engines.items()):
            lane = self.lanes.setdefault(name, _Lane(self.info, name, self.moments))
            lane.write(engine.results, self._reached(view.as_of(name)), writer)

    def _reached(self, at: int | None) -> int:
        """Return how many moments lie behind an event time (ms)."""
        return 0 if at is None else int(np.searchsorted(self.moments, at, "right"))


class _Lane:
    """What is written of one engine: its first ``written`` moments, as ``view`` has them."""

    def __init__(self, info: RunInfo, engine: str, moments: eventtime.Moments) -> None:
        self.info = info
        self.engine = engine
        self.moments = moments
        self.written = 0
        self.view: ResultsView | None = None
        self.revisions = np.zeros(len(moments), np.int64)

    def write(self, now: ResultsView, until: int, writer: SeriesWriter) -> None:
        """Correct what is written where ``now`` differs from it, and go on to the first ``until`` moments."""
        if self.view is not None and self.view is not now:
            self._correct(self.view, now, writer)
        self.view = now
        if until > self.written:
            writer.write(eventtime.of_engine(self.info, self.engine, now, self.moments[:until], self.written))
            self.written = until

    def _correct(self, before: ResultsView, now: ResultsView, writer: SeriesWriter) -> None:
        at = self.moments[: self.written]
        first = eventtime.first_difference(before, now, at)
        if first < len(at):
            revisions = self.revisions[first : self.written]  # counted even if writing fails: half of it may be there
            writer.write(eventtime.corrections(self.info, self.engine, before, now, at[first:], revisions))


class NightThread(BackgroundThread):
    """Context manager: a thread that writes the run a source follows, every second and once more at the end.

    Args:
        source: Provides the run.
        url: Address of the receiver, or of its Prometheus.
        notify: Called with one line when writing fails, and when it succeeds again.

    Raises:
        UsageError: The address is none.
    """

    def __init__(self, source: Source, url: str, notify: Callable[[str], None]) -> None:
        self._source = source
        self._writer = NightWriter(RemoteWriter(receiver(url)))
        self._notify = notify
        self._failing = False
        super().__init__("night-writer", self._write, end_seconds=_STOP_SECONDS)

    def _write(self, over: threading.Event) -> None:
        while not over.wait(EVERY_SECONDS):
            self._step()
        self._step()

    def _step(self) -> None:
        try:
            self._writer.write(self._source.snapshot())
        except BrokerError:  # the reader's; whoever owns the reader reports it
            return
        except EnvironmentMissingError as error:
            if not self._failing:
                self._notify(f"event-time series are not written: {error}")
            self._failing = True
            return
        if self._failing:
            self._notify("event-time series are written again")
        self._failing = False
