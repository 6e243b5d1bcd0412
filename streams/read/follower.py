"""Tells the records of the run that is followed from those of all others, and moves on to a newer run; no I/O."""

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
"""What is read, by base name, run information first."""
_STATUSES: Final = 100
_key = msgspec.json.Decoder(list[Any])


class Follower:
    """Tells the records of the followed run from those of others, and moves on to a newer run; no I/O.

    Args:
        wanted: The run to follow; None for the newest.
    """

    def __init__(self, wanted: str | None) -> None:
        self.wanted = wanted
        self.state: RunState | None = None
        self.ends: dict[str, dict[TopicPartition, int]] = {}
        """Where the result topics ended when an engine was seen to have ended."""
        self._mine = b""
        self._statuses: dict[str, RunStatus] = {}
        self._known: list[str] = []
        self._first: dict[bytes, dict[TopicPartition, int]] = {}
        """Offset of the first result of every run that is not followed: where to go back to if it ever is."""
        self._rewind: dict[TopicPartition, int] = {}
        self._view = RunView()
        self._records: dict[str, int] = dict.fromkeys(TOPICS, 0)
        self._rejected: dict[tuple[str, str], int] = {}
        self._rejections: list[Rejection] = []

    def take(self, topic: str, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        """Take records of the topic with the base name ``topic``, in the order of their offsets."""
        self._records[topic] += len(records)
        if topic in RESULTS:
            self._take_results(topic, partition, records)
            return
        for record in records:
            if record.value is None:
                continue
            try:
                if topic == RUN_INFO:
                    self._meet(decode_info(record.value))
                else:
                    self._hear(decode_status(record.value))
            except ContractError as error:
                self._reject(topic, record, str(error))

    def rewind(self) -> dict[TopicPartition, int]:
        """Return where to read again, once, after the followed run has changed."""
        back, self._rewind = self._rewind, {}
        return back

    def view(self) -> RunView:
        """Return what is known now."""
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
        """Whether everything an engine wrote has been taken, its end included."""
        return self.state is not None and self.state.drained(engine)

    def seen(self) -> str:
        """Return what was seen so far, for an error's text."""
        if self.state is None:
            return f"runs in run.info: {', '.join(self._known) or 'none'}"
        engines = [
            f"{name} {'has ended' if view.covered.ended else 'has not ended on ' + ', '.join(view.covered.missing)}"
            for name, view in sorted(self.state.engines().items())
        ]
        return f"run {self.state.info.run}: {'; '.join(engines) or 'no engine has written anything'}"

    def _meet(self, info: RunInfo) -> None:
        if info.run not in self._known:
            self._known.append(info.run)
        if self.wanted is not None and info.run != self.wanted:
            return
        if self.state is not None and info.created_ms <= self.state.info.created_ms:
            return
        log.info("following run %s", info.run)
        self.state = RunState(info)
        self.ends = {}
        self._mine = f'["{info.run}",'.encode()
        self._rewind = self._first.pop(info.run.encode(), {})
        self._rejections = []

    def _hear(self, status: RunStatus) -> None:
        self._statuses.pop(status.run, None)
        self._statuses[status.run] = status
        while len(self._statuses) > _STATUSES:
            self._statuses.pop(next(run for run in self._statuses))

    def _take_results(self, topic: str, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        mine, state = self._mine, self.state
        if state is None:
            raise ContractError(f"{topic} read before the run is known: nobody can tell whose records these are")
        for record in records:
            key, value = record.key, record.value
            if not (key is not None and key.startswith(mine)) and not self._is_mine(partition, record):
                continue
            if value is None:
                continue
            try:
                state.take(topic, value)
            except ContractError as error:
                self._reject(topic, record, str(error))

    def _is_mine(self, partition: TopicPartition, record: ConsumerRecord) -> bool:
        """Look closer at a record whose key is not spelled as ours: another run's, or one of ours all the same?"""
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
    """Return the run a result's key speaks of; None when it does not say."""
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
