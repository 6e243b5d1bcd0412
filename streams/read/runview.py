"""The known state of one run: its information, the replay's status, every engine's results and progress; no I/O."""

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
    """An invalid record on a result topic."""

    topic: str
    source: str
    """``topic[partition]@offset``."""
    engine: str | None
    """The engine in the record's key; None if there is none."""
    reason: str
    """One of ``streams.contract.events.REASONS``."""
    detail: str


@dataclass(frozen=True)
class EngineView:
    """One engine's results at one instant.

    Args:
        name: The engine's name.
        results: Its counts.
        covered: How much of its input it has counted.
        strays: Its results for windows, spaces or subjects that do not exist.
        drained: It has ended and everything it wrote has been read.
    """

    name: str
    results: ResultsView
    covered: Covered
    strays: Mapping[Stray, Counts] = field(repr=False)
    drained: bool = False

    @property
    def watermark(self) -> int | None:
        """Event time (ms) up to which everything is counted; the end of the last window once the engine has ended."""
        return self.results.grid.end if self.covered.ended else self.covered.watermark


@dataclass(frozen=True)
class RunView:
    """One run at one instant; immutable.

    Args:
        info: The run; None before one is known.
        status: The replay's status; None before its first status record.
        engines: Engines that have written anything, by name, the truth included.
        rejected: Number of invalid records, by base name of the topic and reason.
        rejections: The first ``MAX_REJECTIONS`` invalid records.
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
        """Event time (ms) up to which everything has been sent; without a status, the furthest watermark."""
        if self.status is not None:
            return self.status.at
        return max((e.watermark for e in self.processors if e.watermark is not None), default=None)

    def as_of(self, engine: str) -> int | None:
        """Return the event time (ms) for which an engine's values are shown; None before its first watermark.

        An engine is shown as of its watermark. The truth knows the whole night at once; it is shown as of the replay,
        and in full once the replay has ended.
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
        return None if at is None else self.engines[engine].results.at(at)

    @property
    def ended(self) -> bool:
        """Whether the replay and every engine have ended."""
        over = self.status is not None and self.status.state == "ended"
        return over and bool(self.processors) and all(engine.covered.ended for engine in self.processors)


class _Engine:
    """The mutable state of one engine."""

    def __init__(self, info: RunInfo) -> None:
        self.results = EngineResults(info)
        self.progress = ProgressBook()
        self.covered = self.progress.covered(info.partitions)
        self.drained = False


class RunState:
    """Accepts the records of one run's results, in any order, and provides views of them.

    Args:
        info: The run; records of other runs must not be passed.
    """

    def __init__(self, info: RunInfo) -> None:
        self.info = info
        self.status: RunStatus | None = None
        self._engines: dict[str, _Engine] = {}

    def accept(self, topic: str, value: bytes) -> None:
        """Add the value of one record of a result topic, given by base name.

        Raises:
            ContractError: The record is invalid; the state is unchanged.
        """
        if topic == RESULTS_PROGRESS:
            progress = decode_progress(value)
            engine = self._engine(progress.run, progress.engine)
            engine.progress.put(progress)
            engine.covered = engine.progress.covered(self.info.partitions)
            return
        record = decode_audience(value) if topic == RESULTS_AUDIENCE else decode_reaction(value)
        self._engine(record.run, record.engine).results.put(record)

    def ended(self) -> list[str]:
        """Return the engines that have ended but are not yet marked as drained."""
        return [name for name, engine in self._engines.items() if engine.covered.ended and not engine.drained]

    def mark_drained(self, engine: str) -> None:
        """Mark that everything an engine wrote has been read."""
        self._engines[engine].drained = True

    def drained(self, engine: str) -> bool:
        """Whether an engine is marked as drained."""
        return engine in self._engines and self._engines[engine].drained

    def engines(self) -> dict[str, EngineView]:
        """Return a view of every engine."""
        return {
            name: EngineView(name, one.results.view(), one.covered, one.results.strays(), one.drained)
            for name, one in self._engines.items()
        }

    def _engine(self, run: str, name: str) -> _Engine:
        if run != self.info.run:
            raise ContractError(f"the key has run {self.info.run!r}, the value {run!r}")
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
    """Return why a value is not a valid result record, as one of ``streams.contract.events.REASONS``."""
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
