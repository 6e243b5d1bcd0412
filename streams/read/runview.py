"""What is known of one run: its information, its replay's status, and every engine's results and progress. No I/O."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import msgspec

from streams.contract.events import NOT_JSON, OUT_OF_RANGE, WRONG_SHAPE, WRONG_VERSION
from streams.contract.names import TRUTH
from streams.contract.progress import Covered, ProgressBook
from streams.contract.results import VERSION, Counts, decode_audience, decode_progress, decode_reaction
from streams.contract.runinfo import RunInfo, RunStatus, decode_info, decode_status
from streams.contract.topics import RESULTS_AUDIENCE, RESULTS_PROGRESS, RESULTS_REACTION, RUN_INFO, RUN_STATUS
from streams.errors import ContractError
from streams.read.derive import EngineResults, ResultsAt, ResultsView, Stray

MAX_REJECTIONS: Final = 100


class Rejection(msgspec.Struct, frozen=True):
    """A record on a result topic that is no result."""

    topic: str
    source: str
    """``topic[partition]@offset``."""
    engine: str | None
    """Whose it is, by its key; None when the key does not say."""
    reason: str
    """One of ``streams.contract.events.REASONS``."""
    detail: str


@dataclass(frozen=True)
class EngineView:
    """One engine's results at one instant.

    Args:
        name: The engine's name.
        night: Its counts.
        covered: How far it is with its input.
        strays: Its results for windows, spaces or subjects that do not exist.
        drained: It has ended, and everything it wrote has been read.
    """

    name: str
    night: ResultsView
    covered: Covered
    strays: Mapping[Stray, Counts] = field(repr=False)
    drained: bool = False

    @property
    def watermark(self) -> int | None:
        """Event time (ms) up to which everything is counted; the end of the last window once it has ended."""
        return self.night.grid.end if self.covered.ended else self.covered.watermark


@dataclass(frozen=True)
class RunView:
    """One run at one instant; nothing in it changes any more.

    Args:
        info: The run; None before one is known.
        status: How its replay is doing; None before its first word.
        engines: Engines that have written anything, by name, the truth included.
        rejected: Records that are no results, by base name of the topic and reason.
        rejections: The first ``MAX_REJECTIONS`` of them, named.
        records: Records read since the reader started, of all runs, by base name of the topic.
    """

    info: RunInfo | None = None
    status: RunStatus | None = None
    engines: Mapping[str, EngineView] = field(default_factory=dict)
    rejected: Mapping[tuple[str, str], int] = field(default_factory=dict)
    rejections: tuple[Rejection, ...] = ()
    records: Mapping[str, int] = field(default_factory=dict)

    @property
    def processors(self) -> list[EngineView]:
        """The engines, without the truth."""
        return [engine for name, engine in sorted(self.engines.items()) if name != TRUTH]

    @cached_property
    def replay_at(self) -> int | None:
        """Event time (ms) up to which everything has been sent; without a status the furthest watermark."""
        if self.status is not None:
            return self.status.at
        return max((e.watermark for e in self.processors if e.watermark is not None), default=None)

    def as_of(self, engine: str) -> int | None:
        """Return the event time (ms) an engine's values are shown for, None before there is one.

        An engine is shown as of its watermark. The truth knows the whole night at once; it is shown as of the replay,
        and whole when the replay has ended.
        """
        view = self.engines[engine]
        if engine != TRUTH or view.watermark is None:
            return view.watermark
        if self.status is not None and self.status.state == "ended":
            return view.watermark
        return None if self.replay_at is None else min(self.replay_at, view.watermark)

    def now(self, engine: str) -> ResultsAt | None:
        """Return an engine's values as of ``as_of``; None for an unknown engine or before its first watermark."""
        if engine not in self.engines:
            return None
        at = self.as_of(engine)
        return None if at is None else self.engines[engine].night.at(at)

    @property
    def ended(self) -> bool:
        """The replay and every engine are through."""
        over = self.status is not None and self.status.state == "ended"
        return over and bool(self.processors) and all(engine.covered.ended for engine in self.processors)


class _Engine:
    """One engine while its records come in."""

    def __init__(self, info: RunInfo) -> None:
        self.night = EngineResults(info)
        self.progress = ProgressBook()
        self.covered = self.progress.covered(info.partitions)
        self.drained = False


class RunState:
    """Takes the records of one run's results, in any order, and shows what they say.

    Args:
        info: The run; records of other runs must not be given.
    """

    def __init__(self, info: RunInfo) -> None:
        self.info = info
        self.status: RunStatus | None = None
        self._engines: dict[str, _Engine] = {}

    def take(self, topic: str, value: bytes) -> None:
        """Take the value of one record of the topic with the base name ``topic``.

        Raises:
            ContractError: It is no result; nothing has changed.
        """
        if topic == RESULTS_PROGRESS:
            progress = decode_progress(value)
            engine = self._engine(progress.run, progress.engine)
            engine.progress.put(progress)
            engine.covered = engine.progress.covered(self.info.partitions)
            return
        record = decode_audience(value) if topic == RESULTS_AUDIENCE else decode_reaction(value)
        self._engine(record.run, record.engine).night.put(record)

    def ended(self) -> list[str]:
        """Return the engines that have ended and are not marked as drained."""
        return [name for name, engine in self._engines.items() if engine.covered.ended and not engine.drained]

    def mark_drained(self, engine: str) -> None:
        """Note that everything an engine wrote has been taken."""
        self._engines[engine].drained = True

    def drained(self, engine: str) -> bool:
        """Whether an engine is marked as drained."""
        return engine in self._engines and self._engines[engine].drained

    def engines(self) -> dict[str, EngineView]:
        """Return every engine as it is now."""
        return {
            name: EngineView(name, one.night.view(), one.covered, one.night.strays(), one.drained)
            for name, one in self._engines.items()
        }

    def _engine(self, run: str, name: str) -> _Engine:
        if run != self.info.run:
            raise ContractError(f"the key says run {self.info.run!r}, the value {run!r}")
        known = self._engines.get(name)
        if known is None:
            known = self._engines[name] = _Engine(self.info)
        return known


_DECODERS: dict[str, Callable[[bytes], object]] = {
    RUN_INFO: decode_info,
    RUN_STATUS: decode_status,
    RESULTS_AUDIENCE: decode_audience,
    RESULTS_REACTION: decode_reaction,
    RESULTS_PROGRESS: decode_progress,
}
_ENVELOPE = msgspec.json.Decoder(dict[str, object])


def why_not(topic: str, value: bytes) -> str:
    """Return the reason, one of ``streams.contract.events.REASONS``, for which a value is no result record."""
    try:
        found = _ENVELOPE.decode(value)
    except (msgspec.ValidationError, UnicodeDecodeError):
        return WRONG_SHAPE
    except msgspec.DecodeError:
        return NOT_JSON
    if found.get("v", VERSION) != VERSION:
        return WRONG_VERSION
    try:
        _DECODERS[topic](value)
    except ContractError:
        return WRONG_SHAPE
    return OUT_OF_RANGE
