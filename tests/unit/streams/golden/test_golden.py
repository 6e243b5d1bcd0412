"""The golden nights are sound, and the simple fold gives their hand-made answers."""

import random
from collections.abc import Sequence

import msgspec
import pytest
from kafka.partitioner import murmur2

from streams.contract.events import Mark, decode_presence, decode_tweet
from streams.contract.results import AudienceResult, Progress, ReactionResult, Result, summed
from streams.contract.topics import INPUTS, PRESENCE
from streams.engines.shared.simplefold import PartitionFold
from streams.errors import UsageError
from streams.golden import NIGHTS, EventTotals, GoldenNight, InputRecord, load


def _folded(night: GoldenNight, records: list[InputRecord]) -> tuple[list[Result], list[Progress]]:
    """Every result and the last progress of each partition, taken after every record."""
    folds = {(t, p): PartitionFold(night.info, "simple", t, p) for t in INPUTS for p in range(night.info.partitions)}
    results: list[Result] = []
    progress: dict[tuple[str, str], Progress] = {}
    for record in records:
        fold = folds[record.topic, record.partition]
        error = fold.step(record.value, fold.next_offset)
        assert (error.reason if error else "") == record.reason, record.value
        for one in fold.take():
            if isinstance(one, Progress):
                progress[one.topic, one.shard] = one
            else:
                results.append(one)
    assert all(fold.take() == [] for fold in folds.values())
    return results, list(progress.values())


def _check(night: GoldenNight, records: list[InputRecord]) -> None:
    results, progress = _folded(night, records)
    assert summed(r for r in results if isinstance(r, AudienceResult)) == night.expected.audience
    assert summed(r for r in results if isinstance(r, ReactionResult)) == night.expected.reaction
    for topic, totals in night.expected.totals.items():
        mine = [one for one in progress if one.topic == topic]
        assert all(one.ended and one.watermark == night.info.end for one in mine)
        found = (sum(getattr(one, name) for one in mine) for name in ("events", "duplicates", "dead_letters"))
        assert EventTotals(*found) == totals


@pytest.mark.parametrize("name", NIGHTS)
def test_the_simple_fold_gives_the_expected_results(name: str) -> None:
    """A record at a time, in the order they arrive."""
    night = load(name)
    _check(night, list(night.records))


@pytest.mark.parametrize("name", NIGHTS)
def test_the_order_of_arrival_does_not_matter(name: str) -> None:
    """Any permutation gives the same results if records with one event id keep their order."""
    night = load(name)
    for seed in range(50):
        _check(night, _permuted(night.records, random.Random(seed)))


def _permuted(records: Sequence[InputRecord], random: random.Random) -> list[InputRecord]:
    ids = [record.value if record.reason else _id_of(record) for record in records]
    waiting: dict[object, list[InputRecord]] = {}
    for identity, record in zip(ids, records, strict=True):
        waiting.setdefault(identity, []).append(record)
    random.shuffle(ids)
    return [waiting[identity].pop(0) for identity in ids]


def _id_of(record: InputRecord) -> object:
    return msgspec.json.decode(record.value).get("event_id", record.value)


@pytest.mark.parametrize("name", NIGHTS)
def test_records_are_of_the_contract(name: str) -> None:
    """Every record decodes, lies in its key's partition, and its ids and times are those run.info announces."""
    night = load(name)
    ids = set()
    for record in (one for one in night.records if not one.reason):
        event = (decode_presence if record.topic == PRESENCE else decode_tweet)(record.value)
        assert night.info.start <= event.at <= night.info.end
        if isinstance(event, Mark):
            assert record.key is None
            assert event.run == night.info.run
            continue
        assert record.key == str(event.listener if record.topic == PRESENCE else event.author).encode()  # type: ignore[union-attr]  # the topic tells which
        assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % night.info.partitions
        ids.add(event.event_id)
    assert ids == set(range(night.info.events))


@pytest.mark.parametrize("name", NIGHTS)
def test_every_partition_ends_with_the_number_of_its_events(name: str) -> None:
    """The last record of each partition is its end mark, and tells how many distinct events there were."""
    night = load(name)
    for topic in INPUTS:
        for partition in range(night.info.partitions):
            values = [
                msgspec.json.decode(r.value)
                for r in night.records
                if (r.topic, r.partition) == (topic, partition) and not r.reason
            ]
            assert values[-1]["mark"] == "end"
            assert values[-1]["events"] == len({v["event_id"] for v in values if "mark" not in v})
            steps = sorted({v["at"] for v in values if v.get("mark") == "watermark"})
            step = night.info.watermark_step_ms
            assert steps == list(range(night.info.start + step, night.info.end + 1, step))


def test_a_night_moves_to_another_run() -> None:
    """Under another run id topics, info and marks all follow."""
    night = load("doors").moved("r1", "team.")
    assert night.info.topics["space.presence"] == "team.space.presence.r1"
    assert night.info.topics["results.audience"] == "team.results.audience"
    marks = [decode_presence(r.value) for r in night.records if r.key is None]
    assert {m.run for m in marks if isinstance(m, Mark)} == {"r1"}
    _check(night, list(night.records))


def test_an_unknown_night_names_the_known() -> None:
    """A mistyped name is answered with the list."""
    with pytest.raises(UsageError, match="doors, waiting, thread, entry, clients, edges"):
        load("door")


def test_values_are_the_bytes_of_the_file() -> None:
    """Spaces, escapes and the order of fields arrive as they are written, and what is no JSON as it is."""
    values = [record.value for record in load("edges").records]
    assert any(b'"space":"room-\\u0062"' in value and value.startswith(b'{ "v" : 1') for value in values)
    assert any(b"\xff" in value for value in values)
