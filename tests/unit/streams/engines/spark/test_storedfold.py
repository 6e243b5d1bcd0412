"""A fold whose state is loaded and saved in chunks, a micro-batch at a time, counts as one that stays in memory."""

import functools
from collections import defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contract.results import Progress, Result, key_of
from streams.engines.shared.simplefold import PartitionFold
from streams.engines.spark import storedfold
from streams.engines.spark.storedfold import StoredFold
from streams.golden import NIGHTS, load


class MemoryChunks:
    """Chunks in a dict, with a count of the accesses."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, int], bytes] = {}
        self.accesses = 0

    def get(self, kind: str, number: int) -> bytes | None:
        """Return the bytes; None if there are none."""
        self.accesses += 1
        return self.kept.get((kind, number))

    def put(self, kind: str, number: int, value: bytes) -> None:
        """Keep the bytes."""
        self.accesses += 1
        self.kept[kind, number] = value


@functools.cache
def by_partition(name: str) -> dict[tuple[str, int], list[bytes | None]]:
    """Return the values of a golden night's records by topic and partition, in the order of their offsets."""
    found: dict[tuple[str, int], list[bytes | None]] = defaultdict(list)
    for record in load(name).records:
        found[record.topic, record.partition].append(record.value)
    return found


def batches(values: Sequence[bytes | None], cuts: set[int]) -> list[list[tuple[int, bytes | None]]]:
    """Return the records with their offsets, cut after each offset of ``cuts``."""
    found: list[list[tuple[int, bytes | None]]] = [[]]
    for offset, value in enumerate(values):
        found[-1].append((offset, value))
        if offset in cuts:
            found.append([])
    return [batch for batch in found if batch]


def newest(written: Sequence[Result | Progress]) -> dict[bytes, Result | Progress]:
    """Return the last record of every key."""
    return {key_of(one): one for one in written}


@pytest.mark.parametrize("name", NIGHTS)
@settings(max_examples=10)
@given(cuts=st.sets(st.integers(0, 30)))
def test_counts_are_those_of_a_fold_in_memory(name: str, cuts: set[int]) -> None:
    """However the records are cut into micro-batches, with a new object for each of them."""
    night = load(name)
    for (topic, partition), values in by_partition(name).items():
        whole, store = PartitionFold(night.info, "spark", topic, partition), MemoryChunks()
        written: list[Result | Progress] = []
        expected: list[Result | Progress] = []
        for batch in batches(values, cuts):
            fold = StoredFold(night.info, "spark", topic, partition, store)
            errors = [str(fold.step(raw, offset)) for offset, raw in batch]
            assert errors == [str(whole.step(raw, offset)) for offset, raw in batch]
            written += fold.finish()
            expected += whole.take()
        assert written == expected


@pytest.mark.parametrize("name", NIGHTS)
def test_many_small_chunks_hold_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """People and ids of several chunks keep to their own."""
    monkeypatch.setattr(storedfold, "PEOPLE_PER_CHUNK", 2)
    monkeypatch.setattr(storedfold, "IDS_PER_CHUNK", 3)
    night = load(name)
    for (topic, partition), values in by_partition(name).items():
        whole, store = PartitionFold(night.info, "spark", topic, partition), MemoryChunks()
        written: list[Result | Progress] = []
        for offset, value in enumerate(values):
            whole.step(value, offset)
            fold = StoredFold(night.info, "spark", topic, partition, store)
            fold.step(value, offset)
            written += fold.finish()
        last = {key: one for key, one in newest(whole.take()).items() if not isinstance(one, Progress)}
        counts = {key: one.counts for key, one in newest(written).items() if not isinstance(one, Progress)}
        assert counts == {key: one.counts for key, one in last.items()}


def test_a_micro_batch_played_again_writes_the_same() -> None:
    """State that was not committed is forgotten, and the same records give the same rows with the same versions."""
    night = load("doors")
    (topic, partition), values = max(by_partition("doors").items(), key=lambda one: len(one[1]))
    store = MemoryChunks()
    first = StoredFold(night.info, "spark", topic, partition, store)
    first.step(values[0], 0)
    first.finish()
    again = MemoryChunks()
    again.kept = dict(store.kept)
    folds = [StoredFold(night.info, "spark", topic, partition, chunks) for chunks in (store, again)]
    for fold in folds:
        for offset in range(1, len(values)):
            fold.step(values[offset], offset)
    assert folds[0].finish() == folds[1].finish()
    assert store.kept == again.kept


def test_a_micro_batch_loads_only_the_chunks_it_needs() -> None:
    """An event of one person reads and writes a handful of chunks, however many there are."""
    night = load("doors")
    (topic, partition), values = max(by_partition("doors").items(), key=lambda one: len(one[1]))
    store = MemoryChunks()
    store.kept = {("people", number): b"never decoded" for number in range(1, 1000)}
    fold = StoredFold(night.info, "spark", topic, partition, store)
    fold.step(values[0], 0)
    fold.finish()
    assert store.accesses <= 8
