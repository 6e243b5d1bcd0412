"""Separates the followed run's records from all others, and switches to a newer run; no I/O."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
from aiokafka import ConsumerRecord, TopicPartition

from streams.contract.runinfo import RunInfo, RunStatus, decode_info, decode_status
from streams.contract.topics import RESULTS_AUDIENCE, RESULTS_PROGRESS, RESULTS_REACTION, RUN_INFO, RUN_STATUS
from streams.errors import ContractError
from streams.read.runview import MAX_REJECTIONS, Rejection, RunState, RunView, why_not

log = logging.getLogger(__name__)

RESULTS: Final = (RESULTS_AUDIENCE, RESULTS_REACTION, RESULTS_PROGRESS)
TOPICS: Final = (RUN_INFO, RUN_STATUS, *RESULTS)
"""The topics to read, by base name, run information first."""
_STATUSES: Final = 100
_key = msgspec.json.Decoder(list[Any])


class Follower:
    """Separates the followed run's records from all others, and switches to a newer run; no I/O.

    Args:
        wanted: The run to follow; None for the newest.
    """

    def __init__(self, wanted: str | None) -> None:
        self.wanted = wanted
        self.state: RunState | None = None
        self.ends: dict[str, dict[TopicPartition, int]] = {}
        """End offsets of the result topics at the time an engine was seen to have ended, by engine."""
        self._key_prefix = b""
        self._statuses: dict[str, RunStatus] = {}
        self._known: list[str] = []
        self._first: dict[bytes, dict[TopicPartition, int]] = {}
        """Offset of the first result of every other run: where to resume if that run is followed later."""
        self._rewind: dict[TopicPartition, int] = {}
        self._view = RunView()
        self._records: dict[str, int] = dict.fromkeys(TOPICS, 0)
        self._rejected: dict[tuple[str, str], int] = {}
        self._rejections: list[Rejection] = []

    def accept(self, topic: str, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        """Process records of a topic, given by base name, in the order of their offsets."""
        self._records[topic] += len(records)
        if topic in RESULTS:
            self._accept_results(topic, partition, records)
            return
        for record in records:
            if record.value is None:
                continue
            try:
                if topic == RUN_INFO:
                    self._accept_info(decode_info(record.value))
                else:
                    self._accept_status(decode_status(record.value))
            except ContractError as error:
                self._reject(topic, record, str(error))

    def take_rewind(self) -> dict[TopicPartition, int]:
        """Return, once, the offsets to read again after a switch to another run."""
        back, self._rewind = self._rewind, {}
        return back

    def view(self) -> RunView:
        """Return the current view of the run."""
        if self.state is None:
            return replace(self._view, records=dict(self._records), rejected=dict(self._rejected))
        return RunView(
            info=self.state.info,
            status=self._statuses.get(self.state.info.run),
            engines=self.state.engines(),
            rejected=dict(self._rejected),
            rejections=tuple(self._rejections),
            records=dict(self._records),
        )

    def drained(self, engine: str) -> bool:
        """Whether everything an engine wrote has been read, its end included."""
        return self.state is not None and self.state.drained(engine)

    def seen(self) -> str:
        """Return a summary of the records so far, for error texts."""
        if self.state is None:
            return f"runs in run.info: {', '.join(self._known) or 'none'}"
        engines = [
            f"{name} {'has ended' if view.covered.ended else 'has not ended on ' + ', '.join(view.covered.missing)}"
            for name, view in sorted(self.state.engines().items())
        ]
        return f"run {self.state.info.run}: {'; '.join(engines) or 'no engine has written anything'}"

    def _accept_info(self, info: RunInfo) -> None:
        if info.run not in self._known:
            self._known.append(info.run)
        if self.wanted is not None and info.run != self.wanted:
            return
        if self.state is not None and info.created_ms <= self.state.info.created_ms:
            return
        log.info("following run %s", info.run)
        self.state = RunState(info)
        self.ends = {}
        self._key_prefix = f'["{info.run}",'.encode()
        self._rewind = self._first.pop(info.run.encode(), {})
        self._rejections = []

    def _accept_status(self, status: RunStatus) -> None:
        self._statuses.pop(status.run, None)
        self._statuses[status.run] = status
        while len(self._statuses) > _STATUSES:
            self._statuses.pop(next(run for run in self._statuses))

    def _accept_results(self, topic: str, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        prefix, state = self._key_prefix, self.state
        if state is None:
            raise ContractError(f"{topic} was read before the run is known: its records cannot be assigned to a run")
        for record in records:
            key, value = record.key, record.value
            if not (key is not None and key.startswith(prefix)) and not self._is_followed(partition, record):
                continue
            if value is None:
                continue
            try:
                state.accept(topic, value)
            except ContractError as error:
                self._reject(topic, record, str(error))

    def _is_followed(self, partition: TopicPartition, record: ConsumerRecord) -> bool:
        """Whether a record without the usual key prefix belongs to the followed run; notes where other runs start."""
        run = _run_of(record)
        if run is None or (self.state is not None and run == self.state.info.run.encode()):
            return True
        self._first.setdefault(run, {}).setdefault(partition, record.offset)
        return False

    def _reject(self, topic: str, record: ConsumerRecord, detail: str) -> None:
        reason = why_not(topic, record.value)
        self._rejected[topic, reason] = self._rejected.get((topic, reason), 0) + 1
        if len(self._rejections) < MAX_REJECTIONS:
            source = f"{record.topic}[{record.partition}]@{record.offset}"
            self._rejections.append(Rejection(topic, source, _engine_of(record.key), reason, detail))


def _run_of(record: ConsumerRecord) -> bytes | None:
    """Return the run in a result's key; None if there is none."""
    key = record.key
    if key is not None and key.startswith(b'["'):
        end = key.find(b'"', 2)
        if end > 0:
            return bytes(key[2:end])
    parts = _parts(key)
    return parts[0].encode() if parts and isinstance(parts[0], str) else None


def _engine_of(key: bytes | None) -> str | None:
    parts = _parts(key)
    return parts[1] if len(parts) > 1 and isinstance(parts[1], str) else None


def _parts(key: bytes | None) -> list[Any]:
    try:
        return _key.decode(key or b"[]")
    except msgspec.DecodeError:
        return []
