"""Copies of the engine kafka-python with one bug each, as people write them; the suite must catch every one."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kafka import TopicPartition
from msgspec.structs import replace

from streams.contract.durations import is_duration
from streams.contract.events import Presence, Tweet
from streams.contract.results import AudienceResult, Progress, Result, encode, key_of, topic_of
from streams.contract.runinfo import RunInfo
from streams.contract.topics import INPUTS, PRESENCE, RESULTS_AUDIENCE
from streams.engines.abstract import Engine, Summary, WorkerSettings
from streams.engines.kafkapython.engine import KafkaPythonEngine, KafkaPythonWorker
from streams.engines.shared import simplefold as simple
from streams.engines.shared.simplefold import PartitionFold, Person
from streams.engines.shared.statefolder import state_folder
from streams.engines.shared.stopping import stop_signals
from streams.errors import DecodeError, EngineError


class _Mutant(KafkaPythonEngine):
    """An engine whose worker or fold has a bug."""

    worker_class: type[KafkaPythonWorker] = KafkaPythonWorker
    fold_class: type[PartitionFold] = PartitionFold

    def worker(self, settings: WorkerSettings) -> KafkaPythonWorker:
        made = type("Mutant", (self.worker_class,), {"fold": self.fold_class})
        worker: KafkaPythonWorker = made(settings)
        return worker


class _Forgetful(PartitionFold):
    """Does not know what it has seen."""

    def _count(self, event: Presence | Tweet) -> None:
        self.seen.clear()
        super()._count(event)


class CountsDuplicates(_Mutant):
    """Counts an event as often as it comes."""

    fold_class = _Forgetful


class _Punctual(PartitionFold):
    """Takes a watermark for the last word."""

    def _count(self, event: Presence | Tweet) -> None:
        if self.watermark is None or event.at >= self.watermark:
            super()._count(event)


class DropsLate(_Mutant):
    """Drops what is late, as many libraries do by default."""

    fold_class = _Punctual


class _FirstIsFirst(PartitionFold):
    """Takes the first join that arrives for the first join."""

    def _count(self, event: Presence | Tweet) -> None:
        person: Person = self.people.setdefault(simple.person_of(event), {})
        before = {key: dict(person.get(key, {})) for key in ("join", "first")}
        super()._count(event)
        for key, known in before.items():
            for name, at in known.items():
                if person[key][name] != at:
                    self._put_back(event, key, name, at, person)

    def _put_back(self, event: Presence | Tweet, key: str, name: str, at: int, person: Person) -> None:
        table = RESULTS_AUDIENCE if isinstance(event, Presence) else "results.reaction"
        count = "first_joins" if key == "join" else "first_authors"
        for moment, by in ((person[key][name], -1), (at, 1)):
            self.rows.setdefault((table, simple.window_of(moment, self.info), name), {}).setdefault(count, 0)
            self.rows[table, simple.window_of(moment, self.info), name][count] += by
        person[key][name] = at


class TrustsOrder(_Mutant):
    """Never corrects who was first."""

    fold_class = _FirstIsFirst


class _Offsets(KafkaPythonWorker):
    """Saves its offsets whenever it has read, and goes on from there, with whatever state it finds."""

    def __init__(self, settings: WorkerSettings) -> None:
        super().__init__(settings)
        self.folder: Path = state_folder(settings)

    def on_partitions_assigned(self, assigned: Any) -> None:
        kept = self.folds
        super().on_partitions_assigned(assigned)
        for tp, fold in self.folds.items():
            if tp in kept:  # a rebalance: files are for a worker that starts
                continue
            state, offset = self._file(tp, "state"), self._file(tp, "offset")
            if state.exists():
                fold.load(state.read_bytes())
            if offset.exists():
                fold.next_offset = json.loads(offset.read_text())
                self.consumer.seek(tp, fold.next_offset)

    def _file(self, tp: TopicPartition, kind: str) -> Path:
        return self.folder / f"{tp.topic}-{tp.partition}.{kind}"

    def work(self) -> None:
        super().work()
        for tp, fold in self.folds.items():
            fresh = self._file(tp, "fresh")
            fresh.write_text(json.dumps(fold.next_offset))
            fresh.replace(self._file(tp, "offset"))


class ForgetsOnRestart(_Mutant):
    """Begins with empty state where the last worker left off."""

    worker_class = _Offsets


class _StateAtTheEnd(_Offsets):
    def close(self) -> None:
        for tp, fold in self.folds.items():
            self._file(tp, "state").write_bytes(fold.save())
        super().close()


class SavesOffsetsFirst(_Mutant):
    """Saves its state when it is stopped in order, and loses what it has read when it is killed."""

    worker_class = _StateAtTheEnd


class _WaitsForAll(PartitionFold):
    """Believes marks only where it has seen an event."""

    def step(self, raw: bytes | None, offset: int) -> DecodeError | None:
        before = (self.watermark, self.ended)
        error = super().step(raw, offset)
        if not self.events:
            self.watermark, self.ended = before
        return error


class StopsAtIdlePartition(_Mutant):
    """Waits for an event on every partition."""

    fold_class = _WaitsForAll


class _Fragile(PartitionFold):
    def step(self, raw: bytes | None, offset: int) -> DecodeError | None:
        error = super().step(raw, offset)
        if error is not None:
            raise EngineError(f"cannot go on: {error}")
        return None


class DiesOfCorruptRecords(_Mutant):
    """One bad record ends it."""

    fold_class = _Fragile


class _Quiet(PartitionFold):
    def step(self, raw: bytes | None, offset: int) -> DecodeError | None:
        super().step(raw, offset)
        self.dead_letters = 0
        return None


class SwallowsCorruptRecords(_Mutant):
    """Goes on past invalid records without counting them."""

    fold_class = _Quiet


class _Impatient(KafkaPythonWorker):
    """Takes ten polls without a record for the end, a second of silence."""

    empty = 0

    def work(self) -> None:
        before = self.busy
        super().work()
        self.empty = self.empty + 1 if self.busy == before else 0
        if self.busy and self.empty >= 10:
            for fold in self.folds.values():
                if not fold.ended:
                    fold.ended, fold.taken_offset = True, -1


class EndsOnSilence(_Mutant):
    """Ends when nothing has come for a while."""

    worker_class = _Impatient


class _Shared(PartitionFold):
    """Every row under one shard, as if this worker were the only one."""

    _all: dict[Any, dict[str, int]] = {}  # noqa: RUF012 - shared between partitions on purpose

    def __init__(self, info: RunInfo, engine: str, topic: str, partition: int) -> None:
        super().__init__(info, engine, topic, partition)
        self.rows = self._all

    def take(self) -> list[Result | Progress]:
        version = time.time_ns()
        return [_under(one, version) if not isinstance(one, Progress) else one for one in super().take()]


def _under(one: Result, version: int) -> Result:
    if isinstance(one, AudienceResult):
        return AudienceResult(1, one.run, one.engine, one.window, one.space, "0", version, one.counts)
    return type(one)(1, one.run, one.engine, one.window, one.subject, "0", version, one.counts)


class OneShardForAll(_Mutant):
    """Two workers overwrite each other's rows."""

    fold_class = _Shared


class _Strict(PartitionFold):
    def _count(self, event: Presence | Tweet) -> None:
        super()._count(event)
        if isinstance(event, Presence) and event.since_drop_ms == 60_000:
            self.rows[RESULTS_AUDIENCE, simple.window_of(event.at, self.info), event.space]["rejoins_60s"] -= 1


class LessThanAMinute(_Mutant):
    """Reads "within 60 s" as "in less than 60 s"."""

    fold_class = _Strict


class _Unicode(PartitionFold):
    def __init__(self, info: RunInfo, engine: str, topic: str, partition: int) -> None:
        super().__init__(info, engine, topic, partition)
        self.lower = topic != PRESENCE

    def step(self, raw: bytes | None, offset: int) -> DecodeError | None:
        if self.lower and raw and b'"text"' in raw:
            fields = json.loads(raw)
            raw = json.dumps({**fields, "text": fields["text"].lower()}).encode()
        return super().step(raw, offset)


class UnicodeLowerCase(_Mutant):
    """Uses its language's lower case, which knows more letters than A to Z."""

    fold_class = _Unicode


class _BeforeTheTalk(PartitionFold):
    def __init__(self, info: RunInfo, engine: str, topic: str, partition: int) -> None:
        super().__init__(_earlier(info), engine, topic, partition)


def _earlier(info: RunInfo) -> RunInfo:
    return RunInfo(
        **{name: getattr(info, name) for name in info.__struct_fields__} | {"talk_start": info.talk_start - 1}
    )


class BeforeTheTalk(_Mutant):
    """Reads "20 minutes are over by the start of the talk" as "before"."""

    fold_class = _BeforeTheTalk


class _Decimal(PartitionFold):
    def take(self) -> list[Result | Progress]:
        return [_rounded(one) if isinstance(one, AudienceResult) else one for one in super().take()]


def _rounded(one: AudienceResult) -> AudienceResult:
    families = {count: count.partition(":") for count in one.counts if is_duration(count)}
    names = {count: f"{family}:{int(begin) // 10 * 10}" for count, (family, _, begin) in families.items()}
    return replace(one, counts={names.get(count, count): n for count, n in one.counts.items()})


class RoundsDurations(_Mutant):
    """Cuts bins at decimal places, not at binary ones."""

    fold_class = _Decimal


class _Timeless(PartitionFold):
    def take(self) -> list[Result | Progress]:
        return [_undated(one) if isinstance(one, AudienceResult) else one for one in super().take()]


def _undated(one: AudienceResult) -> AudienceResult:
    return replace(one, counts={count: n for count, n in one.counts.items() if not is_duration(count)})


class KnowsNoDurations(_Mutant):
    """No bug: an engine written before there were durations."""

    fold_class = _Timeless


class _Boaster(KafkaPythonWorker):
    """Publishes progress at once and results every five seconds."""

    def __init__(self, settings: WorkerSettings) -> None:
        super().__init__(settings)
        self.waiting: list[Result | Progress] = []
        self.reported = time.monotonic()

    def publish(self) -> None:
        taken = [one for fold in self.folds.values() for one in fold.take()]
        self.waiting += [one for one in taken if not isinstance(one, Progress)]
        if any(fold.ended for fold in self.folds.values()) or time.monotonic() - self.reported > 5.0:
            self._send(self.waiting)
            self.reported, self.waiting = time.monotonic(), []
        self._send([one for one in taken if isinstance(one, Progress)])


class PromisesEarly(_Mutant):
    """Says how far it is before the results are written."""

    worker_class = _Boaster


class _Lenient(PartitionFold):
    """Repairs a record before it is decoded, as a lenient parser would."""

    def step(self, raw: bytes | None, offset: int) -> DecodeError | None:
        return super().step(self._repaired(raw), offset)

    def _repaired(self, raw: bytes | None) -> bytes | None:
        return raw


class _AnyVersion(_Lenient):
    def _repaired(self, raw: bytes | None) -> bytes | None:
        return raw and raw.replace(b'"v":2', b'"v":1')


class IgnoresTheVersion(_Mutant):
    """Does not look at ``v``."""

    fold_class = _AnyVersion


class _Quoted(_Lenient):
    def _repaired(self, raw: bytes | None) -> bytes | None:
        return raw and re.sub(rb'"(listener|author)":"(\d+)"', rb'"\1":\2', raw)


class NumbersInQuotes(_Mutant):
    """Takes ``"12"`` for 12."""

    fold_class = _Quoted


class _AnyCase(_Lenient):
    def _repaired(self, raw: bytes | None) -> bytes | None:
        return raw and re.sub(rb'"(\w+)":', lambda name: name[0].lower(), raw)


class IgnoresCase(_Mutant):
    """Matches the names of fields in any case, as Go's encoding/json does."""

    fold_class = _AnyCase


class _AnyText(_Lenient):
    def _repaired(self, raw: bytes | None) -> bytes | None:
        return raw and raw.decode(errors="replace").encode()


class AnyBytesAreText(_Mutant):
    """Replaces what is not UTF-8, as many string types do."""

    fold_class = _AnyText


class _OneReason(KafkaPythonWorker):
    def _write_dead_letter(self, error: DecodeError, value: bytes | None) -> None:
        super()._write_dead_letter(DecodeError("wrong_shape", error.detail, error.source), value)


class OneReasonForAll(_Mutant):
    """Keeps every dead letter under the same reason."""

    worker_class = _OneReason


class _HalfOpen(PartitionFold):
    def step(self, raw: bytes | None, offset: int) -> DecodeError | None:
        at = re.search(rb'"at":\s*(\d+)', raw or b"")
        if at and int(at[1]) == self.info.end and b'"event_id"' in (raw or b""):
            raw = b"{}"
        return super().step(raw, offset)


class EndIsExclusive(_Mutant):
    """Takes an event at exactly the end of the night for one after it."""

    fold_class = _HalfOpen


class _Versioned(PartitionFold):
    """Gives its results versions of its own making."""

    def take(self) -> list[Result | Progress]:
        taken = super().take()
        version = self._version() if taken else 0
        return [one if isinstance(one, Progress) else replace(one, version=version) for one in taken]

    def _version(self) -> int:
        return self.next_offset


class _Clocked(_Versioned):
    started = time.monotonic()

    def _version(self) -> int:
        return int((time.monotonic() - self.started) * 1000)


class VersionsRestart(_Mutant):
    """Counts milliseconds since the worker was started."""

    fold_class = _Clocked


class _Writes(_Versioned):
    writes = 0

    def _version(self) -> int:
        self.writes += 1
        return self.writes


class VersionsCountWrites(_Mutant):
    """Counts how often it has written."""

    fold_class = _Writes


class _Wrapped(_Versioned):
    def _version(self) -> int:
        return self.next_offset % 400


class VersionsShrink(_Mutant):
    """Keeps its version in too few digits."""

    fold_class = _Wrapped


class _Keyless(KafkaPythonWorker):
    def _send(self, records: list[Result | Progress]) -> None:
        for one in records:
            key = key_of(one) if isinstance(one, Progress) else json.dumps(json.loads(key_of(one))[2:]).encode()
            self.producer.send(self.info.topics[topic_of(one)], encode(one), key=key)
        self.producer.flush()


class KeysWithoutRun(_Mutant):
    """Leaves run and engine out of the keys of its results, so that compaction mixes them with those of others."""

    worker_class = _Keyless


class _EventClock(PartitionFold):
    def _count(self, event: Presence | Tweet) -> None:
        super()._count(event)
        self.watermark = max(event.at, self.watermark or event.at)


class WatermarkOfEvents(_Mutant):
    """Takes the time of the newest event for its watermark, as stream processors do."""

    fold_class = _EventClock


class _Newest(PartitionFold):
    def step(self, raw: bytes | None, offset: int) -> DecodeError | None:
        if raw is not None and raw.startswith(b'{"mark"'):
            self.watermark = None
        return super().step(raw, offset)


class LastMark(_Mutant):
    """Takes the last mark for its watermark, not the greatest."""

    fold_class = _Newest


class _Hasty(KafkaPythonWorker):
    """Publishes progress half a second before the results it covers, until a partition has ended."""

    def publish(self) -> None:
        if any(fold.ended for fold in self.folds.values()):
            super().publish()
            return
        taken = [one for fold in self.folds.values() for one in fold.take()]
        self._send([one for one in taken if isinstance(one, Progress)])
        time.sleep(0.5)
        self._send([one for one in taken if not isinstance(one, Progress)])


class PromisesABitEarly(_Mutant):
    """Says how far it is a moment before the results are written."""

    worker_class = _Hasty


class CrashesAtStart(Engine):
    """Does not come up."""

    name = "crashes"

    def run(self, settings: WorkerSettings) -> Summary:
        """Do what the class says."""
        raise EngineError(f"cannot find my configuration file of run {settings.info.run}")


class Hangs(Engine):
    """Comes up and does nothing."""

    name = "hangs"

    def run(self, settings: WorkerSettings) -> Summary:
        """Do what the class says."""
        with stop_signals() as stop:
            stop.wait()
        assert settings.info
        return Summary(ended=False)


class _Babbler(KafkaPythonWorker):
    def publish(self) -> None:
        for topic in ("results.audience", "results.progress"):
            self.producer.send(self.info.topics[topic], b"\x00 garbage", key=_key(self.info, self.settings.engine))
        self.producer.flush()  # before its last progress record, after which no reader goes on
        super().publish()


def _key(info: RunInfo, engine: str) -> bytes:
    return json.dumps([info.run, engine, 0, "?", "?"], separators=(",", ":")).encode()


class WritesGarbage(_Mutant):
    """Writes records that are no results among those that are."""

    worker_class = _Babbler


class _Inventor(PartitionFold):
    def take(self) -> list[Result | Progress]:
        taken = super().take()
        return [*self._invented(), *taken] if taken and self.topic == INPUTS[0] else taken

    def _invented(self) -> Iterator[Result]:
        window = self.info.start - self.info.window_ms + 1
        yield AudienceResult(1, self.info.run, self.engine, window, "no-such-room", "0", self.next_offset, {"joins": 3})


class InventsWindows(_Mutant):
    """Writes results for windows and rooms that do not exist."""

    fold_class = _Inventor
