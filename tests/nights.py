"""A small run and strategies for its results, shared by tests of everything that reads results."""

from typing import TypeAlias

from aiokafka import ConsumerRecord, TopicPartition
from hypothesis import strategies as st

from streams.contract.names import ALL, OTHER
from streams.contract.results import (
    AUDIENCE_COUNTS,
    REACTION_COUNTS,
    STANCE,
    STANCES,
    AudienceResult,
    Counts,
    ReactionResult,
    Result,
)
from streams.contract.runinfo import Phase, RunInfo, SubjectRule
from streams.contract.runinfo import encode as encode_run
from streams.contract.topics import (
    INPUTS,
    RESULTS_AUDIENCE,
    RESULTS_PROGRESS,
    RESULTS_REACTION,
    RUN_INFO,
    RUN_STATUS,
    Topics,
)
from streams.read.follower import Follower

START = 1_684_965_600_000
"""24 May 2023, 22:00 UTC."""
WINDOW = 5_000
WINDOWS = 40
SPACES = ("first", "second")
SUBJECTS = ("launch", "announcement", OTHER)
TAGS = ("hashtag:night", "hashtag:room")


def run_info(run: str = "run-1", *, prefix: str = "", created_ms: int = 0, partitions: int = 2) -> RunInfo:
    """Return the information of a run of 40 windows with two spaces and three phases."""
    names = Topics(run, prefix)
    shared = (RUN_INFO, RUN_STATUS, RESULTS_AUDIENCE, RESULTS_REACTION, RESULTS_PROGRESS)
    return RunInfo(
        v=1,
        run=run,
        tape_sha256="ab" * 32,
        scenario="quiet",
        scale=0.01,
        seed=1,
        events=100,
        people=50,
        start=START,
        end=START + WINDOW * WINDOWS - 1,
        talk_start=START + 100_000,
        window_ms=WINDOW,
        watermark_step_ms=1_000,
        phases=(Phase("open", START), Phase("melting", START + 50_000), Phase("talk", START + 100_000)),
        spaces=SPACES,
        thread="123",
        announced=START + 120_000,
        subjects=(SubjectRule("launch", words=("launch",)), SubjectRule("announcement", conversations=("123",))),
        partitions=partitions,
        prefix=prefix,
        topics={**{base: names.input(base) for base in INPUTS}, **{base: names.shared(base) for base in shared}},
        created_ms=created_ms,
    )


def audience(
    window: int, space: str, counts: Counts, *, shard: str = "0", version: int = 1, engine: str = "e"
) -> Result:
    """Return an audience result of the window with number ``window``."""
    return AudienceResult(
        v=1, run="run-1", engine="e", window=START + window * WINDOW, space=space, shard=shard, version=version,
        counts=counts,
    )  # fmt: skip


def reaction(
    window: int, subject: str, counts: Counts, estimates: Counts | None = None, *, shard: str = "0", version: int = 1
) -> Result:
    """Return a reaction result of the window with number ``window``."""
    return ReactionResult(
        v=1, run="run-1", engine="e", window=START + window * WINDOW, subject=subject, shard=shard, version=version,
        counts=counts, estimates=estimates or {},
    )  # fmt: skip


Raw: TypeAlias = ConsumerRecord


def record(topic: str, key: bytes | None, value: bytes | None, offset: int = 0) -> Raw:
    """Return a record as the consumer hands it over."""
    return ConsumerRecord(topic, 0, offset, 0, 0, key, value, None, 0, 0, ())


def feed(follower: Follower, topic: str, *records: Raw) -> None:
    """Hand records of one topic over."""
    follower.accept(topic, TopicPartition(topic, 0), records)


def meet(follower: Follower, info: RunInfo) -> None:
    """Hand a run's information over."""
    feed(follower, RUN_INFO, record(RUN_INFO, info.run.encode(), encode_run(info)))


_windows = st.integers(0, WINDOWS - 1)
_shards = st.sampled_from(("0", "1"))
_versions = st.integers(0, 3)


def _counts(names: tuple[str, ...]) -> st.SearchStrategy[Counts]:
    return st.dictionaries(st.sampled_from(names), st.integers(0, 9), max_size=6)


audiences = st.builds(
    audience, _windows, st.sampled_from((*SPACES, ALL)), _counts(AUDIENCE_COUNTS), shard=_shards, version=_versions
)
reactions = st.builds(
    reaction, _windows, st.sampled_from((*SUBJECTS, ALL)), _counts((*REACTION_COUNTS, *TAGS)),
    _counts(tuple(STANCE + name for name in STANCES)), shard=_shards, version=_versions,
)  # fmt: skip
