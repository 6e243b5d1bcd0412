"""Has every kernel of a worker compiled, or loaded, before the first record comes."""

import numpy as np
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from streams.contract.events import Presence, PresenceKind, Tweet, TweetKind, encode
from streams.contract.runinfo import RunInfo, SubjectRule
from streams.contract.topics import INPUTS
from streams.fold.state import PartitionState, decoder
from streams.kernels.framing import frame
from streams.kernels.jit import COMPILED, compiling
from streams.kernels.packed import packed
from streams.kernels.recordbatch import OVERHEAD, pack

_AT = 1_684_965_600_000


def warm() -> None:
    """Count an event of each kind as a worker does; the first process on a machine compiles, the others wait for it."""
    if not COMPILED:
        return
    info = _info()
    with compiling("worker"):
        for topic in INPUTS:
            values = [encode(_presence()), encode(_tweet()), b"{}"]
            decode, state = decoder(info, topic).decode, PartitionState(info, topic, 0)
            for version in (1, 2):  # the second time the hashtags are known
                state.apply(decode(values), version)
            results, _ = state.take_results("warm-up")
            room = np.empty(OVERHEAD * len(results) + results.keys.size() + results.values.size(), np.uint8)
            columns = (*results.keys.columns(), *results.values.columns(), *packed([]).columns())
            pack(np.zeros(len(results), np.int64), *columns, room)
            state.load(state.save(everything=True))
        _frame()


def _frame() -> None:
    builder = DefaultRecordBatchBuilder(
        2, 0, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1, batch_size=1 << 10
    )
    builder.append(0, _AT, key=b"1", value=b"{}", headers=[])
    data = bytes(builder.build())
    starts, ends, offsets = (np.empty(1, np.int64) for _ in range(3))
    frame(packed([data]).bytes(), 61, len(data), starts, ends, offsets)


def _presence() -> Presence:
    return Presence(0, _AT, PresenceKind.JOIN, 0, "room", "web", 1, 1)


def _tweet() -> Tweet:
    return Tweet(1, _AT, TweetKind.POST, "1", 0, "1", "text", "en", 1, ("tag",))


def _info() -> RunInfo:
    return RunInfo(
        v=1, run="", tape_sha256="", scenario="", scale=1.0, seed=0, events=2, people=1, start=_AT, end=_AT,
        talk_start=_AT, window_ms=1, watermark_step_ms=1, phases=(), spaces=("room",), thread="", announced=None,
        subjects=(SubjectRule("launch", words=("text",)),), partitions=1, prefix="", topics={}, created_ms=0,
    )  # fmt: skip
